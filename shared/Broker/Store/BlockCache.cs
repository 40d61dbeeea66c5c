using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// The blocks whose bytes are in memory beside the one being written, bounded in bytes: the one not used longest goes
/// first. A block that is away is read back on a thread of its own and checked on the way. Loop thread only.
/// </summary>
/// <remarks>
/// <code>
///   away --asked for--> reading --read--> in memory (what is damaged stands out of the way)
///              ^           |
///              |           +--failed--> waits, ever longer, and reads again
///              |                           |
///              +-- after a minute -- given up (LogReadWaitMs)
/// </code>
/// </remarks>
internal sealed class BlockCache(Loop loop, StoreDisk disk, StoreThread thread, BrokerOptions options, Action<LogBlock, BlockLoad?> loaded)
    : LoopTimer
{
    /// <summary>Milliseconds until a block that was given up is read again for who comes.</summary>
    public const long GivenUpRetryMs = 60_000;

    /// <summary>The longest wait between two tries is that many doublings of the first.</summary>
    private const int BackoffShiftMaximum = 3;

    private const int SparesMaximum = 8;
    private readonly List<LogBlock> _resident = [];
    private readonly Stack<byte[]> _spares = new();
    private readonly Stack<BlockLoad> _loads = new();
    private readonly List<LogBlock> _failing = [];
    private bool _isClosed;
    private long _bytes;

    /// <summary>A buffer for a new block.</summary>
    public byte[] Rent(int size) => size <= options.LogBlockBytes && _spares.TryPop(out byte[]? spare)
        ? spare
        : GC.AllocateUninitializedArray<byte>(int.Max(size, options.LogBlockBytes));

    /// <summary>A block is complete and written: from now on its bytes may go.</summary>
    public void Add(LogBlock block)
    {
        _resident.Add(block);
        _bytes += block.Buffer!.Length;
        while (_bytes > options.LogCacheBytes && _resident.Count > 1)
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

    /// <summary>
    /// Asks for a block that is away; <c>loaded</c> follows, also when it cannot be read. False when it could not be, and its
    /// time to be read again has not come: it is to be passed over.
    /// </summary>
    public bool Request(LogBlock block)
    {
        if (block.IsLoading || block.Buffer is not null)
        {
            return true;
        }

        if (block.Trouble is { IsGivenUp: true } trouble && loop.NowMs < trouble.RetryAtMs)
        {
            return false;
        }

        block.IsLoading = true;
        Read(block);
        return true;
    }

    /// <summary>Nothing is read again.</summary>
    public void Close()
    {
        _isClosed = true;
        loop.Timers.Cancel(this);
    }

    /// <summary>A block was read, or was not.</summary>
    public void Finish(BlockLoad load, LogBlock block, byte[] buffer)
    {
        _loads.Push(load);
        if (_isClosed || block.Segment!.IsDropped)
        {
            // Those who read there find what is in its place.
            block.IsLoading = false;
            Return(buffer);
        }
        else if (load.Error is not null)
        {
            Return(buffer);
            Fail(load, block);
        }
        else
        {
            block.IsLoading = false;
            Mend(load, block);
            block.Buffer = buffer;
            Add(block);
        }

        loaded(block, load);
    }

    /// <summary>Time to read again what could not be read.</summary>
    protected override void OnDue()
    {
        foreach (LogBlock block in _failing.Where(block => block.Trouble!.RetryAtMs <= loop.NowMs).ToArray())
        {
            _failing.Remove(block);
            if (block.Segment!.IsDropped)
            {
                block.IsLoading = false;
                loaded(block, null);
            }
            else
            {
                Read(block);
            }
        }

        ScheduleRetry();
    }

    private void Read(LogBlock block)
    {
        BlockLoad load = _loads.TryPop(out BlockLoad? spare) ? spare : new BlockLoad(this, disk);
        load.Begin(block, Rent(block.Used));
        thread.Do(load);
    }

    /// <summary>
    /// Tried again until it has failed for too long. Each block has that time of its own: while a whole disk is away little is
    /// passed over before it is back.
    /// </summary>
    private void Fail(BlockLoad load, LogBlock block)
    {
        long now = loop.NowMs;
        BlockTrouble trouble = block.Trouble ??= new BlockTrouble();
        trouble.FailingSinceMs ??= now;
        trouble.Failures++;
        long waited = now - trouble.FailingSinceMs.Value;
        if (trouble.IsGivenUp || waited >= options.LogReadWaitMs)
        {
            load.GivesUp = !trouble.IsGivenUp;
            trouble.IsGivenUp = true;
            trouble.RetryAtMs = now + GivenUpRetryMs;
            block.IsLoading = false;
            return;
        }

        long backoff = options.LogRetryMs * (1L << int.Min(trouble.Failures - 1, BackoffShiftMaximum));
        trouble.RetryAtMs = now + long.Min(backoff, options.LogReadWaitMs - waited);
        _failing.Add(block);
        ScheduleRetry();
    }

    /// <summary>It can be read; what is damaged in it was not read by then.</summary>
    private static void Mend(BlockLoad load, LogBlock block)
    {
        if (load.Damages.Count > 0)
        {
            block.Trouble ??= new BlockTrouble();
        }

        if (block.Trouble is { } trouble)
        {
            trouble.FailingSinceMs = null;
            trouble.Failures = 0;
            trouble.IsGivenUp = false;
        }
    }

    private void ScheduleRetry()
    {
        if (_failing.Count > 0 && !_isClosed)
        {
            loop.Timers.Schedule(this, long.Max(1, _failing.Min(block => block.Trouble!.RetryAtMs) - loop.NowMs));
        }
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
        if (buffer.Length == options.LogBlockBytes && _spares.Count < SparesMaximum)
        {
            _spares.Push(buffer);
        }
    }
}
