using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// Reads a group's folder before its broker serves: every record is checked. A write that was cut short at the very end
/// is cut off; damage anywhere else is refused, or set aside when that was asked for. Nothing is deleted but a segment that
/// was joined to the one before it.
/// </summary>
internal sealed class LogRecovery(GroupFolder folder, BrokerOptions options, RetainedMessages retained, long retainedSafeBelow, ILogger logger)
{
    private readonly List<LogSegment> _segments = [];
    private readonly LogIds _ids = new(options.MessageIdsMaximum);
    private readonly Dictionary<(string Node, ulong Link), LogProducer> _producers = [];
    private readonly LogTenants _tenants = new(options);
    private readonly List<byte[]> _shares = [];
    private LogBlocks? _blocks;
    private long _messages;
    private bool _hasEnded;

    /// <summary>Bytes cut off at the end.</summary>
    public long BytesCut { get; private set; }

    /// <summary>The highest term seen, in what was set aside too.</summary>
    public ulong HighestTerm { get; private set; }

    /// <summary>Reads everything.</summary>
    /// <param name="clockOffsetMs">What the clock of the files is ahead of the loop's, in ms.</param>
    /// <param name="loopNowMs">The loop's clock.</param>
    /// <exception cref="StoreException">Something is damaged, of a newer version, or cannot be read.</exception>
    public RecoveredLog Run(long clockOffsetMs, long loopNowMs)
    {
        IReadOnlyList<string> files = folder.Segments();
        for (int i = 0; i < files.Count && !_hasEnded; i++)
        {
            Take(files[i], [.. files.Skip(i + 1)], clockOffsetMs);
        }

        _blocks ??= new LogBlocks(new LogTerms(1), options.LogBlockBytes) { ClockOffsetMs = clockOffsetMs };
        MakeYoung(nowMs: loopNowMs + clockOffsetMs);
        OpenAll();

        return new RecoveredLog(_blocks, _segments, _ids, [.. _producers.Values.OrderBy(producer => producer.LastPosition)], _messages)
        {
            Tenants = _tenants,

            // Numbers from there on are given anew; what they will retain is not in the file.
            RetainedSafeBelow = long.Min(retainedSafeBelow, _blocks.LastOrdinal + 1),
            ShareRecords = _shares,
        };
    }

    private void Take(string file, IReadOnlyList<string> later, long clockOffsetMs)
    {
        byte[] bytes = ReadAll(file);
        LogSegment? segment = LogSegment.TryRead(file, bytes, folder.Group);
        if (segment is null && later.Count == 0 && !bytes.AsSpan().ContainsAnyExcept((byte)0))
        {
            // A power cut took a file that had just been made.
            StoreLog.SetAside(logger, folder.Group, GroupFolder.SetAside(file), "it is empty");
            return;
        }

        bool isMissing = segment is null
            ? !bytes.AsSpan(0, int.Min(bytes.Length, LogSegment.HeaderBytes)).ContainsAnyExcept((byte)0)
            : _blocks is not null && segment.FirstOrdinal > _blocks.LastOrdinal + 1 && IsUnsynced([file]);
        if (isMissing && IsUnsynced(later))
        {
            EndBefore([file, .. later]);
            return;
        }

        if (segment is null)
        {
            Refuse(file, 0, "its header is damaged", [], null);
            return;
        }

        long expected = _blocks is null ? segment.FirstOrdinal : _blocks.LastOrdinal + 1;
        if (segment.FirstOrdinal < expected && _segments[^1].IsThinned)
        {
            StoreLog.JoinedLeft(logger, folder.Group, file, _segments[^1].Path);
            File.Delete(file);
            return;
        }

        if (segment.FirstOrdinal != expected && !(options.DamagedSegments == DamagedSegments.SetAside && segment.FirstOrdinal > expected))
        {
            throw new StoreException(
                $"{file} begins with message {segment.FirstOrdinal}, but the log before it ends with {expected - 1}: a piece is missing. Put it back, or start once with --Broker:DamagedSegments set-aside to go on without it.");
        }

        int sound = CheckAll(bytes, segment);
        if (sound < bytes.Length && !((later.Count == 0 || IsUnsynced(later)) && MayCut(bytes, segment, sound)))
        {
            Refuse(file, sound, "a record is damaged", bytes, segment);
            return;
        }

        if (sound < bytes.Length)
        {
            Cut(file, sound, bytes.Length - sound);
            EndBefore(later);
        }

        Apply(bytes.AsSpan(0, sound), segment, clockOffsetMs);
    }

    /// <summary>Up to where records are whole, one behind the other.</summary>
    private static int CheckAll(ReadOnlySpan<byte> bytes, LogSegment segment)
    {
        int offset = LogSegment.HeaderBytes;
        while (offset < bytes.Length && RecordFrame.TryCheck(bytes[offset..], segment.SeedAt(offset), out int length))
        {
            offset += length;
        }

        return offset;
    }

    /// <summary>
    /// What is wrong at the end of the newest segment may be a write that was cut short: nothing follows it, or only what
    /// was part of the same write (a power cut may leave any pages of it). With <c>os</c> a power cut may leave any pages of
    /// all that was not synced; without one, as long as the system is the same that ran the broker before, none is missing.
    /// </summary>
    private bool MayCut(ReadOnlySpan<byte> bytes, LogSegment segment, int sound)
    {
        for (int offset = sound + 1; offset + RecordFrame.HeaderBytes <= bytes.Length; offset++)
        {
            if (RecordFrame.TryCheck(bytes[offset..], segment.SeedAt(offset), out _) && RecordFrame.Vouches(bytes[offset..], sound, folder.IsAfterSystemStart))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Whether a power cut may have taken what stands before these files: the system was started since, and no record in
    /// them says that what came before them was on the disk.
    /// </summary>
    private bool IsUnsynced(IReadOnlyList<string> files) => folder.IsAfterSystemStart && files.All(file =>
    {
        ReadOnlySpan<byte> bytes = ReadAll(file);
        LogSegment? segment = LogSegment.TryRead(file, bytes, folder.Group);
        for (int offset = LogSegment.HeaderBytes; segment is not null && offset + RecordFrame.HeaderBytes <= bytes.Length; offset++)
        {
            if (RecordFrame.TryCheck(bytes[offset..], segment.SeedAt(offset), out _) && RecordFrame.VouchesForEarlier(bytes[offset..]))
            {
                return false;
            }
        }

        return true;
    });

    /// <summary>The log ends before these files, whatever a power cut left of them.</summary>
    private void EndBefore(IReadOnlyList<string> files)
    {
        _hasEnded = true;
        foreach (string file in files)
        {
            byte[] bytes = ReadAll(file);
            SalvageTerms(bytes, LogSegment.TryRead(file, bytes, folder.Group));
            BytesCut += bytes.Length;
            StoreLog.SetAside(logger, folder.Group, GroupFolder.SetAside(file), "it follows what had not reached the disk when the system was cut off");
        }
    }

    private void Cut(string file, int sound, int bytes)
    {
        StoreLog.TailCut(logger, folder.Group, file, bytes, sound);
        BytesCut += bytes;
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Write);
            stream.SetLength(sound);
            stream.Flush(flushToDisk: true);
        }
        catch (IOException exception)
        {
            throw Unreadable(file, exception);
        }
    }

    private void Refuse(string file, int offset, string what, ReadOnlySpan<byte> bytes, LogSegment? segment)
    {
        if (options.DamagedSegments == DamagedSegments.Refuse)
        {
            throw new StoreException(
                $"{file} is damaged at offset {offset}: {what}. Bring back a sound copy, or start once with --Broker:DamagedSegments set-aside: the file is then renamed and its messages are lost to this log.");
        }

        SalvageTerms(bytes, segment);
        StoreLog.SetAside(logger, folder.Group, GroupFolder.SetAside(file), what);
    }

    /// <summary>No term is ever used again, so those in a file that is set aside count, too.</summary>
    private void SalvageTerms(ReadOnlySpan<byte> bytes, LogSegment? segment)
    {
        for (int offset = LogSegment.HeaderBytes; segment is not null && offset < bytes.Length;)
        {
            ReadOnlySpan<byte> source = bytes[offset..];
            if (!RecordFrame.TryCheck(source, segment.SeedAt(offset), out int length))
            {
                offset++;
                continue;
            }

            if (RecordFrame.KindOf(source) == RecordKind.Term)
            {
                HighestTerm = ulong.Max(HighestTerm, TermOf(source));
            }

            offset += length;
        }
    }

    private void Apply(ReadOnlySpan<byte> bytes, LogSegment segment, long clockOffsetMs)
    {
        _segments.Add(segment);
        segment.Length = bytes.Length;
        _blocks ??= new LogBlocks(new LogTerms(1), options.LogBlockBytes, segment.FirstOrdinal - 1) { ClockOffsetMs = clockOffsetMs };
        LogBlock? block = null;
        for (int offset = LogSegment.HeaderBytes; offset < bytes.Length;)
        {
            ReadOnlySpan<byte> source = bytes[offset..];
            int length = RecordFrame.LengthOf(source);
            RecordKind kind = RecordFrame.KindOf(source);
            if (kind == RecordKind.Snapshot)
            {
                TakeState(RecordFrame.Read(source, default, 0).Payload, segment);
            }

            if (block is null || block.Used + length > options.LogBlockBytes)
            {
                block = new LogBlock(null, _blocks.LastOrdinal + 1) { Segment = segment, FileOffset = offset };
                _blocks.Add(block);
            }

            block.Places.Pass(block.Used, block.Count);
            block.Used += length;
            block.Written = block.Used;
            if (kind == RecordKind.Term)
            {
                _blocks.Terms.Begin(TermOf(source), _blocks.LastOrdinal + 1, _blocks.FirstOrdinal);
            }
            else if (kind == RecordKind.Shares)
            {
                _shares.Add(RecordFrame.Read(source, default, 0).Payload.ToArray());
            }
            else if (kind == RecordKind.Message)
            {
                TakeMessage(source, segment, block);
            }
            else if (kind == RecordKind.Gap)
            {
                segment.NewestMs = long.Max(segment.NewestMs, RecordFrame.AtMsOf(source));
                _blocks.CountGap(block, RecordFrame.GapEnd(source), RecordFrame.GapNames(source));
            }

            offset += length;
        }

        segment.EndOrdinal = _blocks.LastOrdinal + 1;
    }

    private void TakeState(ReadOnlySpan<byte> payload, LogSegment segment)
    {
        // Knows more than what was read so far where a segment before it is gone.
        (LogTerms terms, IReadOnlyList<LogProducer> producers, byte[] shares) = LogState.Read(payload);
        _shares.Clear();
        _shares.Add(shares);
        _blocks!.Terms.Replace(terms);
        _blocks.LastOrdinal = segment.FirstOrdinal - 1;
        _producers.Clear();
        foreach (LogProducer producer in producers)
        {
            _producers.Add((producer.Node, producer.Link), producer);
        }
    }

    private void TakeMessage(ReadOnlySpan<byte> source, LogSegment segment, LogBlock block)
    {
        LogBlocks blocks = _blocks!;
        LogRecord record = RecordFrame.Read(source, default, blocks.ClockOffsetMs);
        long ordinal = blocks.Count(block, record.Topic);
        _messages++;
        segment.Live++;
        _tenants.Add(segment.Tenants, record.Topic, RecordFrame.LengthOf(source));
        segment.NewestMs = long.Max(segment.NewestMs, RecordFrame.AtMsOf(source));
        LogPosition position = blocks.Tail;
        (MessageId? byLink, MessageId? byOtherWay) = RecordIds.Read(RecordFrame.Extra(source));
        if (byLink is { } id)
        {
            if (!_producers.TryGetValue((id.Node, id.Link), out LogProducer? producer))
            {
                producer = new LogProducer(id.Node, id.Link);
                _producers.Add((id.Node, id.Link), producer);
            }

            producer.Pass(id.Number, position);
        }

        if (byOtherWay is { } other)
        {
            _ids.Add(other, ordinal);
        }

        if (record.Retain && !record.IsForSharesOnly)
        {
            segment.HasRetained = true;
        }

        // What an earlier one did stands in the file of retained messages, and what undid it may be gone from the log.
        if (record.Retain && !record.IsForSharesOnly && ordinal >= retainedSafeBelow)
        {
            retained.Replay(record.At(position));
        }
    }

    /// <summary>
    /// The newest message counts as appended now: a log does not age while its broker is away, and a clock that jumped
    /// meanwhile takes nothing from it.
    /// </summary>
    private void MakeYoung(long nowMs)
    {
        long shift = nowMs - _segments.Select(segment => segment.NewestMs).DefaultIfEmpty().Max();
        foreach (LogSegment segment in _segments)
        {
            segment.NewestMs += shift;
        }

        _blocks!.FirstOfRun = _blocks.LastOrdinal + 1;
        _blocks.EarlierShiftMs = shift;
    }

    /// <summary>Opens the files. The newest block is written on, so its bytes are needed.</summary>
    private void OpenAll()
    {
        foreach (LogSegment segment in _segments)
        {
            try
            {
                segment.Open();
                if (_blocks!.Last is { } last && last.Segment == segment)
                {
                    last.Buffer = GC.AllocateUninitializedArray<byte>(int.Max(last.Used, options.LogBlockBytes));
                    new StoreDisk().Read(segment.Handle!, last.Buffer.AsSpan(0, last.Used), last.FileOffset);
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw Unreadable(segment.Path, exception);
            }
        }
    }

    private static byte[] ReadAll(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(file, exception);
        }
    }

    private static StoreException Unreadable(string file, Exception exception) =>
        new($"{file} cannot be read: {exception.Message} Mend the disk or the file's rights.", exception);

    private static ulong TermOf(ReadOnlySpan<byte> source) =>
        BinaryPrimitives.ReadUInt64LittleEndian(RecordFrame.Read(source, default, 0).Payload);
}

/// <summary>What recovery found.</summary>
internal sealed record RecoveredLog(
    LogBlocks Blocks, List<LogSegment> Segments, LogIds Ids, IReadOnlyList<LogProducer> Producers, long Messages)
{
    /// <summary>See <see cref="FileGroupLog.RetainedSafeBelow"/>.</summary>
    public long RetainedSafeBelow { get; init; }

    /// <summary>Who has how much of it.</summary>
    public required LogTenants Tenants { get; init; }

    /// <summary>What shares had written: the newest snapshot and what followed it.</summary>
    public IReadOnlyList<byte[]> ShareRecords { get; init; } = [];
}
