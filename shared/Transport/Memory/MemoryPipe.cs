namespace Trunkline.Transports;

/// <summary>
/// One direction of a memory pair, touched by two loops under its lock, for a few pointer writes per turn. Chunks change
/// owner instead of being copied, and come back empty, so that neither side's pool runs dry.
/// <code>
/// writer's output -> [waiting chunks, at most Capacity bytes and one chunk] -> reader
///        ^------------------------ [emptied chunks] &lt;--------------------------'
/// </code>
/// </summary>
internal sealed class MemoryPipe(int capacity)
{
    private readonly Lock _lock = new();
    private BufferChunk? _head;
    private BufferChunk? _tail;
    private BufferChunk? _emptied;
    private int _bytes;
    private bool _readerTold;
    private bool _writerWaits;
    private bool _ended;
    private bool _aborted;
    private bool _readerGone;

    /// <summary>Appends chunks while there is room; returns emptied ones for the writer's pool.</summary>
    public PipeWrite Write(ref BufferChunk? chain, out BufferChunk? emptied)
    {
        lock (_lock)
        {
            emptied = _emptied;
            _emptied = null;
            if (_readerGone)
            {
                return PipeWrite.ReaderGone;
            }

            while (chain is not null && _bytes < capacity)
            {
                BufferChunk chunk = chain;
                chain = chunk.Next;
                chunk.Next = null;
                _bytes += chunk.Length;
                if (_tail is null)
                {
                    _head = chunk;
                }
                else
                {
                    _tail.Next = chunk;
                }

                _tail = chunk;
            }

            _writerWaits = chain is not null;
            bool tell = !_readerTold;
            _readerTold = true;
            return tell ? PipeWrite.TellReader : PipeWrite.Done;
        }
    }

    /// <summary>Says that the writer's notice has arrived: the next write gives a new one.</summary>
    public void NoticeArrived()
    {
        lock (_lock)
        {
            _readerTold = false;
        }
    }

    /// <summary>Takes the next chunk; null when there is none, then <paramref name="end"/> says whether more may come.</summary>
    public BufferChunk? Take(out PipeEnd end)
    {
        lock (_lock)
        {
            end = _aborted ? PipeEnd.Aborted : PipeEnd.Open;
            BufferChunk? chunk = _aborted ? null : _head;
            if (chunk is null)
            {
                end = _aborted ? PipeEnd.Aborted : _ended ? PipeEnd.Ended : PipeEnd.Open;
                return null;
            }

            _head = chunk.Next;
            chunk.Next = null;
            if (_head is null)
            {
                _tail = null;
            }

            return chunk;
        }
    }

    /// <summary>Gives an emptied chunk of <paramref name="length"/> bytes back; true when the writer waits and is to be told.</summary>
    public bool GiveBack(BufferChunk chunk, int length)
    {
        lock (_lock)
        {
            chunk.Next = _emptied;
            _emptied = chunk;
            _bytes -= length;
            bool tell = _writerWaits && _bytes <= capacity / 2;
            _writerWaits &= !tell;
            return tell;
        }
    }

    /// <summary>Whether the writer reset the connection.</summary>
    public bool IsAborted
    {
        get
        {
            lock (_lock)
            {
                return _aborted;
            }
        }
    }

    /// <summary>The writer writes no more; true when the reader is to be told.</summary>
    public bool EndWriting(bool aborted)
    {
        lock (_lock)
        {
            _ended = true;
            _aborted |= aborted;
            bool tell = !_readerTold && !_readerGone;
            _readerTold = true;
            return tell;
        }
    }

    /// <summary>The reader reads no more; true when the writer waits and is to be told.</summary>
    public bool EndReading()
    {
        lock (_lock)
        {
            _readerGone = true;
            bool tell = _writerWaits && !_ended;
            _writerWaits = false;
            return tell;
        }
    }
}
