using Microsoft.Extensions.Logging;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// The log in files: segments that are only ever added to, dropped as wholes by retention. Appending never waits for the
/// disk; what a turn of the loop appended is written at its end (FileGroupLog.Write.cs). Loop thread only.
/// </summary>
/// <remarks>
/// <code>
///   segments   [ ......... ][ ......... ][ ...............    ]          files
///   blocks     [   ][   ][ ][   ][   ][ ][    ][    ][   ]               256 KiB each; the last always in memory,
///                                          written ^    ^ appended       others in a cache
/// </code>
/// </remarks>
internal sealed partial class FileGroupLog : LoopTimer, IGroupLog, IEndOfTurn
{
    private readonly Loop _loop;
    private readonly BrokerOptions _options;
    private readonly GroupFolder _folder;
    private readonly ILogger _logger;
    private readonly BrokerCounters _counters;
    private readonly StoreDisk _disk;
    private readonly StoreThread _writer;
    private readonly StoreThread _helper;
    private readonly BlockCache _cache;
    private readonly LogBlocks _blocks;
    private readonly LogIdentities _identities;
    private readonly List<LogSegment> _segments;
    private IReadOnlyList<byte[]> _shareRecords;
    private bool _isClosed;

    /// <summary>Goes on with what recovery found. <see cref="BeginRun"/> comes next.</summary>
    public FileGroupLog(Loop loop, BrokerOptions options, GroupFolder folder, RecoveredLog recovered, FileLogSetup setup)
    {
        _loop = loop;
        _options = options;
        _folder = folder;
        _logger = setup.Logger;
        _counters = setup.Counters;
        _disk = setup.Disk;
        _helper = setup.Helper;
        _writer = setup.Writer;
        _batch = new LogBatch(setup.Disk, options.Commit == LogCommit.Always, OnBatchDone);
        _syncer = setup.Syncer;
        _sync = new LogSync(this);
        _syncTimer = new SyncTimer(this);
        _cache = new BlockCache(loop, setup.Disk, setup.Helper, options, OnLoaded);
        _blocks = recovered.Blocks;
        _segments = recovered.Segments;
        _tenants = recovered.Tenants;
        _identities = new LogIdentities(
            _blocks, new LogProducers(options.ProducersMaximum, options.ProducerMemoryMs), recovered.Ids);
        foreach (LogProducer producer in recovered.Producers.TakeLast(options.ProducersMaximum))
        {
            _identities.Producers.Restore(producer, loop.NowMs);
        }

        _shareRecords = recovered.ShareRecords;
        _messages = recovered.Messages;
        Bytes = _segments.Sum(segment => segment.Length);

        // What this run writes first is a batch of its own, behind all that stands there.
        _batchOffset = _segments is [.., LogSegment newest] ? newest.Length : 0;
        Committed = Tail;
        CommittedOrdinal = _blocks.LastOrdinal;
        RetainedSafeBelow = recovered.RetainedSafeBelow;
    }

    /// <inheritdoc/>
    public ulong Term => _blocks.Terms.Current;

    /// <inheritdoc/>
    public LogPosition Start => _blocks.Start;

    /// <inheritdoc/>
    public LogPosition Tail => _blocks.Tail;

    /// <inheritdoc/>
    public LogPosition Committed { get; private set; }

    /// <inheritdoc/>
    public long UncommittedBytes { get; private set; }

    /// <inheritdoc/>
    public bool IsFailing { get; private set; }

    /// <inheritdoc/>
    public long Messages => _messages;

    /// <inheritdoc/>
    public long Bytes { get; private set; }

    /// <inheritdoc/>
    public long IndexBytes => _blocks.IndexBytes;

    /// <inheritdoc/>
    public long Dropped { get; private set; }

    /// <inheritdoc/>
    public long ProducersForgotten => _identities.Producers.Forgotten;

    /// <inheritdoc/>
    public int Ids => _identities.Ids.Count;

    /// <inheritdoc/>
    public long IdsForgotten => _identities.Ids.Forgotten;

    /// <inheritdoc/>
    public ILogListener? Listener { get; set; }

    /// <inheritdoc/>
    public Func<byte[]>? ShareSnapshot { get; set; }

    /// <summary>The number of the newest message that is committed.</summary>
    public long CommittedOrdinal { get; private set; }

    /// <summary>Bytes appended in this run.</summary>
    public long AppendedBytes { get; private set; }

    /// <summary>Told when a segment is complete.</summary>
    public Action? SegmentSealed { get; set; }

    /// <summary>
    /// What messages below this number did to retained messages stands in the file of retained messages: segments below it
    /// may go. Others that changed a retained message stay until it does.
    /// </summary>
    public long RetainedSafeBelow { get; private set; }

    /// <inheritdoc/>
    public LogProducer Acquire(string node, ulong link) => _identities.Producers.Acquire(node, link, _loop.NowMs, Start);

    /// <inheritdoc/>
    public void Release(LogProducer producer) => _identities.Producers.Release(producer, _loop.NowMs, Start);

    /// <inheritdoc/>
    public bool TryFind(in MessageId id, out LogPosition position) => _identities.TryFind(id, out position);

    /// <inheritdoc/>
    public LogCursor Seek(LogPosition after, out bool mayHaveLost) => _blocks.Seek(after, out mayHaveLost);

    /// <inheritdoc/>
    public bool Skip(ref LogCursor cursor, TopicsWanted wanted) => _blocks.Skip(ref cursor, wanted, CommittedOrdinal + 1);

    /// <inheritdoc/>
    public void OnTick() => MakeRoom();

    /// <inheritdoc/>
    public LogReading TryRead(ref LogCursor cursor, out LogRecord record)
    {
        LogReading reading = _blocks.TryRead(ref cursor, out record, out LogBlock? absent);
        return reading == LogReading.Pending && !_cache.Request(absent!) ? _blocks.PassOver(ref cursor, absent!) : reading;
    }

    /// <summary>A block is back, or who waits for it is to look again.</summary>
    private void OnLoaded(LogBlock block, BlockLoad? load)
    {
        if (_isClosed)
        {
            return;
        }

        if (load is not null && !block.Segment!.IsDropped)
        {
            Tell(block, load);
        }

        if (!block.IsLoading)
        {
            Listener?.OnReadable();
        }
    }

    private void Tell(LogBlock block, BlockLoad load)
    {
        string file = block.Segment!.Path;
        BlockTrouble? trouble = block.Trouble;
        if (load.Error is not { } error)
        {
            if (load.WasFailing)
            {
                StoreLog.ReadingAgain(_logger, _folder.Group, file, block.FileOffset);
            }

            foreach (BlockDamage damage in load.Damages.Where(damage => trouble!.Told.Add(damage.FileOffset)))
            {
                _counters.Add(BrokerCounter.LogDamagedPlaces);
                _counters.Add(BrokerCounter.LogMessagesLost, damage.Messages);
                StoreLog.Damaged(_logger, _folder.Group, file, damage.FileOffset, damage.Bytes, damage.Messages);
            }

            return;
        }

        _counters.Add(BrokerCounter.LogReadFailures);
        if (load.GivesUp)
        {
            _counters.Add(BrokerCounter.LogUnreadableBlocks);
            _counters.Add(BrokerCounter.LogMessagesLost, block.Live);
            StoreLog.BlockUnreadable(
                _logger, _folder.Group, file, block.FileOffset, block.Live, _loop.NowMs - trouble!.FailingSinceMs!.Value, error.Message);
        }
        else if (trouble!.Failures == 1)
        {
            StoreLog.CannotRead(_logger, _folder.Group, file, block.FileOffset, error.Message, _options.LogReadWaitMs);
        }
    }
}

/// <summary>What a file log is given beside its folder.</summary>
/// <param name="Logger">Where events are logged.</param>
/// <param name="Counters">The group's.</param>
/// <param name="Disk">The disk.</param>
/// <param name="Writer">Writes the log when the loop does not.</param>
/// <param name="Syncer">Syncs the newest segment beside the writes.</param>
/// <param name="Helper">Reads blocks, writes the file of retained messages, deletes segments.</param>
internal sealed record FileLogSetup(
    ILogger Logger, BrokerCounters Counters, StoreDisk Disk, StoreThread Writer, StoreThread Syncer, StoreThread Helper);
