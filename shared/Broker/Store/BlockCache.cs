namespace Trunkline.Broker;

/// <summary>
/// The blocks whose bytes are in memory beside the one being written, bounded in bytes: the one not used longest goes
/// first. A block that is away is read back on a thread of its own and checked on the way. Loop thread only.
/// </summary>
internal sealed class BlockCache(StoreDisk disk, StoreThread thread, int maximumBytes, int blockBytes, Action<LogBlock> loaded)
{
    private const int SparesMaximum = 8;
    private readonly List<LogBlock> _resident = [];
    private readonly Stack<byte[]> _spares = new();
    private readonly Stack<Load> _loads = new();
    private long _bytes;

    /// <summary>A buffer for a new block.</summary>
    public byte[] Rent(int size) => size <= blockBytes && _spares.TryPop(out byte[]? spare)
        ? spare
        : GC.AllocateUninitializedArray<byte>(int.Max(size, blockBytes));

    /// <summary>A block is complete and written: from now on its bytes may go.</summary>
    public void Add(LogBlock block)
    {
        _resident.Add(block);
        _bytes += block.Buffer!.Length;
        while (_bytes > maximumBytes && _resident.Count > 1)
        {
            Evict(block);
        }
    }

    /// <summary>Blocks that retention drops.</summary>
    public void Remove(LogBlock block)
    {
        if (block.Buffer is not null && _resident.Remove(block))
        {
            TakeBuffer(block);
        }
    }

    /// <summary>Asks for a block that is away; <c>loaded</c> follows, also when it cannot be read.</summary>
    public void Request(LogBlock block)
    {
        if (block.IsLoading || block.Buffer is not null)
        {
            return;
        }

        block.IsLoading = true;
        Load load = _loads.TryPop(out Load? spare) ? spare : new Load(this, disk);
        load.Begin(block, Rent(block.Used));
        thread.Do(load);
    }

    private void Evict(LogBlock newest)
    {
        LogBlock? oldest = null;
        foreach (LogBlock block in _resident)
        {
            if (block != newest && (oldest is null || block.LastUse < oldest.LastUse))
            {
                oldest = block;
            }
        }

        _resident.Remove(oldest!);
        TakeBuffer(oldest!);
    }

    private void TakeBuffer(LogBlock block)
    {
        byte[] buffer = block.TakeBuffer();
        _bytes -= buffer.Length;
        Return(buffer);
    }

    private void Return(byte[] buffer)
    {
        if (buffer.Length == blockBytes && _spares.Count < SparesMaximum)
        {
            _spares.Push(buffer);
        }
    }

    private void Finish(Load load, LogBlock block, byte[] buffer, bool isSound)
    {
        _loads.Push(load);
        block.IsLoading = false;
        if (!isSound || block.Segment!.IsDropped)
        {
            block.IsUnreadable = true;
            Return(buffer);
        }
        else
        {
            block.Buffer = buffer;
            Add(block);
        }

        loaded(block);
    }

    private sealed class Load(BlockCache cache, StoreDisk disk) : StoreJob
    {
        private LogBlock? _block;
        private byte[]? _buffer;
        private bool _isSound;

        public void Begin(LogBlock block, byte[] buffer)
        {
            _block = block;
            _buffer = buffer;
            _isSound = false;
        }

        protected override void Work()
        {
            LogBlock block = _block!;
            Span<byte> bytes = _buffer.AsSpan(0, block.Used);
            disk.Read(block.Segment!.Handle!, bytes, block.FileOffset);
            int offset = 0;
            while (offset < bytes.Length
                && RecordFrame.TryCheck(bytes[offset..], block.Segment.SeedAt(block.FileOffset + offset), out int length))
            {
                offset += length;
            }

            _isSound = offset == bytes.Length;
        }

        protected override void Run()
        {
            LogBlock block = _block!;
            byte[] buffer = _buffer!;
            _block = null;
            _buffer = null;
            cache.Finish(this, block, buffer, _isSound && Error is null);
        }
    }
}
