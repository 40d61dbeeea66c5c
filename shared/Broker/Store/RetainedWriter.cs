using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>
/// Writes the file of retained messages in slices: the loop encodes a slice, the store's helping thread writes it, then the
/// next. Messages may change meanwhile; what the log says after the position the file began at is played on top of it.
/// Begun when a segment is complete and as much was logged since the last time as there is to write, so that it at most
/// doubles what is written. Loop thread only.
/// </summary>
internal sealed class RetainedWriter : StoreJob
{
    private const int SliceSteps = 500;
    private readonly GroupFolder _folder;
    private readonly RetainedMessages _retained;
    private readonly FileGroupLog _log;
    private readonly FileLogSetup _setup;
    private readonly long _clockOffsetMs;
    private readonly ArrayBufferWriter<byte> _slice = new(64 * 1024);
    private SafeFileHandle? _handle;
    private TopicCursor _cursor;
    private uint _salt;
    private long _place;
    private long _count;
    private long _begunAtOrdinal;
    private long _begunAtBytes;
    private ulong _begunAtSequence;
    private ulong _writtenSequence;
    private bool _isLast;

    public RetainedWriter(GroupFolder folder, RetainedMessages retained, FileGroupLog log, FileLogSetup setup, long clockOffsetMs)
    {
        _folder = folder;
        _retained = retained;
        _log = log;
        _setup = setup;
        _clockOffsetMs = clockOffsetMs;
    }

    /// <summary>Whether a file is being written.</summary>
    public bool IsUnderWay { get; private set; }

    private string Fresh => _folder.RetainedFile + GroupFolder.FreshEnding;

    /// <summary>A segment is complete: begins if there is something new and enough was logged for it, or the log is full.</summary>
    public void OnSegmentSealed()
    {
        if (IsUnderWay)
        {
            return;
        }

        if (_retained.Sequence == _writtenSequence)
        {
            _log.OnRetainedSafe(_log.CommittedOrdinal + 1);
        }
        else if (_log.WaitsForRetained || _log.AppendedBytes - _begunAtBytes >= _retained.Bytes)
        {
            Begin();
            Slice();
            _setup.Helper.Do(this);
        }
    }

    /// <summary>Writes everything now, for a broker that stops. Waits for the disk.</summary>
    public void WriteNow()
    {
        _handle?.Dispose();
        _handle = null;
        if (_retained.Sequence != _writtenSequence || IsUnderWay)
        {
            WriteAll();
        }
    }

    /// <summary>
    /// The log has lost its end, which the file knew: written anew before its numbers are given again. Before the loop starts;
    /// waits for the disk.
    /// </summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void WriteAnew()
    {
        WriteAll();
        if (Error is not null)
        {
            throw new IOException(Error.Message, Error);
        }
    }

    private void WriteAll()
    {
        Begin();
        do
        {
            Slice();
            Execute();
        }
        while (!_isLast && Error is null);

        End();
    }

    protected override void Work()
    {
        _handle ??= File.OpenHandle(Fresh, FileMode.Create, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        _setup.Disk.Write(_handle, _slice.WrittenSpan, _place);
        if (_isLast)
        {
            _setup.Disk.Flush(_handle);
            _handle.Dispose();
            _handle = null;
            File.Move(Fresh, _folder.RetainedFile, overwrite: true);
            _setup.Disk.FlushFolder(_folder.Path);
        }
    }

    protected override void Run()
    {
        if (!IsUnderWay)
        {
            return;
        }

        if (_isLast || Error is not null)
        {
            End();
            return;
        }

        Slice();
        _setup.Helper.Do(this);
    }

    private void Begin()
    {
        IsUnderWay = true;
        _isLast = false;
        _cursor = default;
        _count = 0;
        _place = 0;
        _salt = BinaryPrimitives.ReadUInt32LittleEndian(RandomNumberGenerator.GetBytes(4));
        _begunAtOrdinal = _log.CommittedOrdinal + 1;
        _begunAtBytes = _log.AppendedBytes;
        _begunAtSequence = _retained.Sequence;
        _slice.ResetWrittenCount();
    }

    /// <summary>Encodes the next messages, behind what was written.</summary>
    private void Slice()
    {
        _place += _slice.WrittenCount;
        _slice.ResetWrittenCount();
        if (_place == 0)
        {
            _slice.Write(RetainedFile.Header(_begunAtOrdinal, _salt));
        }

        var reader = new Reader(this);
        _isLast = !_retained.ReadAll(ref _cursor, SliceSteps, ref reader);
        _count += reader.Count;
        if (_isLast)
        {
            RetainedFile.End(_slice, _place + _slice.WrittenCount, _count, _folder.Group, _salt);
        }
    }

    private void End()
    {
        IsUnderWay = false;
        _handle?.Dispose();
        _handle = null;
        if (Error is not null)
        {
            StoreLog.RetainedNotWritten(_setup.Logger, _folder.Group, _folder.RetainedFile, Error.Message);
            return;
        }

        _writtenSequence = _begunAtSequence;
        _log.OnRetainedSafe(_begunAtOrdinal);
        if (_log.WaitsForRetained)
        {
            // Segments were completed while the file was written.
            OnSegmentSealed();
        }
    }

    private struct Reader(RetainedWriter writer) : ITopicReader<RetainedMessage>
    {
        public long Count { get; private set; }

        public bool Read(ReadOnlyMemory<byte> topic, RetainedMessage value)
        {
            RetainedFile.Add(
                writer._slice, writer._place + writer._slice.WrittenCount, topic.Span, value, writer._clockOffsetMs, writer._salt);
            Count++;
            return true;
        }
    }
}
