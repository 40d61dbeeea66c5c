using Microsoft.Extensions.Logging;
using Trunkline.Directory;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>
/// Writes the node's checkpoint, one directory write an interval whatever the number of messages and sessions; five a second
/// while the record of a session fills, which waits for them. Runs on the first loop; each loop gives its part by a post.
/// </summary>
/// <remarks>
/// The highest attach number is read before the loops are asked, and each loop names the lowest attempt that has no session
/// yet: whatever is at or below both was a session of its loop when that loop gave its part.
/// </remarks>
internal sealed class CheckpointWriter : LoopTimer
{
    /// <summary>Milliseconds between two checkpoints while a record fills, where the interval is longer.</summary>
    private const int HurriedMs = 200;

    private readonly IReadOnlyList<ConnectionGate> _gates;
    private readonly IDirectory _directory;
    private readonly AttachNumbers _numbers;
    private readonly ILogger _logger;
    private readonly int _intervalMs;
    private readonly List<CheckpointPart> _parts = [];
    private NodeCheckpoint? _written;
    private LogPosition[] _common = [];
    private long _highest;
    private long _lastMs;
    private bool _isUnderWay;
    private bool _isHurried;
    private bool _isStopped;
    private bool _failed;
    private bool _isHeldBack;
    private TaskCompletionSource? _leaving;

    public CheckpointWriter(
        IReadOnlyList<ConnectionGate> gates, IDirectory directory, AttachNumbers numbers, int intervalMs, ILogger logger)
    {
        _gates = gates;
        _directory = directory;
        _numbers = numbers;
        _intervalMs = intervalMs;
        _logger = logger;
    }

    private Loop Loop => _gates[0].Loop;

    private KeeperCounters Counters => _gates[0].Keeper.Counters;

    /// <summary>Begins. On the first loop.</summary>
    public void Start() => Next();

    /// <summary>A session's record fills, and what waits there waits for a checkpoint: the next one comes soon. Any thread.</summary>
    public void Hurry() => Loop.Post(() =>
    {
        _isHurried = true;
        if (!_isUnderWay && !_isStopped && !_failed)
        {
            Loop.Timers.Schedule(this, _lastMs + int.Min(HurriedMs, _intervalMs) - Loop.NowMs);
        }
    });

    /// <summary>
    /// From now on the checkpoint says that the node sends its devices away: whoever takes a session whose last word is late
    /// drops its will, as one that waits is dropped. Completes when one that says it is written, or could not be. On the
    /// first loop.
    /// </summary>
    public Task LeavingAsync()
    {
        _leaving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_isStopped)
        {
            _leaving.SetResult();
            return _leaving.Task;
        }

        _isHurried = true;
        if (!_isUnderWay)
        {
            Loop.Timers.Cancel(this);
            OnDue();
        }

        return _leaving.Task;
    }

    /// <summary>Ends: nothing is written from now on. On the first loop.</summary>
    public void Stop()
    {
        _isStopped = true;
        _leaving?.TrySetResult();
        Loop.Timers.Cancel(this);
    }

    /// <inheritdoc/>
    protected override void OnDue()
    {
        _isUnderWay = true;
        _isHurried = false;
        _parts.Clear();
        _highest = _numbers.Last;
        LogPosition[] before = _common;
        foreach (ConnectionGate gate in _gates)
        {
            gate.Loop.Post(() =>
            {
                CheckpointPart part = gate.TakeCheckpoint(before);
                Loop.Post(() => Take(part));
            });
        }
    }

    private void Take(CheckpointPart part)
    {
        _parts.Add(part);
        if (_parts.Count < _gates.Count || _isStopped)
        {
            return;
        }

        NodeCheckpoint? checkpoint = Join(_parts, _highest, _written, isLeaving: _leaving is not null);
        NoteHeldBack(checkpoint is null);
        if (checkpoint is null || (_written is { } written && IsSame(written, checkpoint)))
        {
            foreach (ConnectionGate gate in _gates)
            {
                gate.Loop.Post(gate.Keeper.RelieveRecords);
            }

            Next();
            return;
        }

        _directory.WriteCheckpointAsync(checkpoint).Then(
            (Writer: this, checkpoint),
            static (state, result) => state.Writer.Loop.Post(() => state.Writer.Written(state.checkpoint, result)));
    }

    /// <summary>
    /// What the loops say, in one. Null where more sessions are behind than may be listed apart: then the checkpoint that stands
    /// stays, for what it says remains true, and records no longer hold what it covered; only that the node is leaving is added.
    /// </summary>
    internal static NodeCheckpoint? Join(IReadOnlyList<CheckpointPart> parts, long highest, NodeCheckpoint? written, bool isLeaving)
    {
        var common = (LogPosition[])parts[0].Positions.Clone();
        var laggards = new List<(string ClientId, IReadOnlyList<LogPosition> Positions)>();
        foreach (CheckpointPart part in parts)
        {
            CheckpointPart.Lower(common, part.Positions);
            laggards.AddRange(part.Laggards);
            highest = long.Min(highest, part.LowestPending - 1);
        }

        if (laggards.Count <= NodeCheckpoint.MaxLaggards)
        {
            return new NodeCheckpoint(highest, common, laggards) { IsLeaving = isLeaving };
        }

        return isLeaving ? (written ?? new NodeCheckpoint(0, [], [])) with { IsLeaving = true } : null;
    }

    private void NoteHeldBack(bool isHeldBack)
    {
        int laggards = _parts.Sum(part => part.Laggards.Count);
        if (isHeldBack)
        {
            Counters.Add(KeeperCounter.CheckpointsHeldBack);
        }

        if (isHeldBack && !_isHeldBack)
        {
            KeeperLog.CheckpointHeldBack(_logger, laggards, NodeCheckpoint.MaxLaggards);
        }
        else if (_isHeldBack && !isHeldBack)
        {
            KeeperLog.CheckpointGoesOn(_logger, laggards);
        }

        _isHeldBack = isHeldBack;
    }

    private void Written(NodeCheckpoint checkpoint, DirectoryResult result)
    {
        if (_isStopped)
        {
            return;
        }

        if (checkpoint.IsLeaving)
        {
            _leaving?.TrySetResult();
        }

        if (!result.IsOk)
        {
            Counters.Add(KeeperCounter.CheckpointsFailed);
            if (!_failed)
            {
                KeeperLog.CheckpointFailed(_logger, result.Status, result.Detail);
            }

            _failed = true;
            Next();
            return;
        }

        _failed = false;
        Next();
        _written = checkpoint;
        _common = [.. checkpoint.Positions];
        Counters.Add(KeeperCounter.Checkpoints);
        Dictionary<string, IReadOnlyList<LogPosition>> laggards = checkpoint.Laggards.ToDictionary(
            laggard => laggard.ClientId, laggard => laggard.Positions, StringComparer.Ordinal);
        foreach (ConnectionGate gate in _gates)
        {
            gate.Loop.Post(() => gate.Keeper.CheckpointWritten(checkpoint.AttachNumber, checkpoint.Positions, laggards));
        }
    }

    /// <summary>The next one: after the interval, or soon where somebody waits and the directory answers.</summary>
    private void Next()
    {
        _isUnderWay = false;
        _lastMs = Loop.NowMs;
        Loop.Timers.Schedule(this, _isHurried && !_failed ? int.Min(HurriedMs, _intervalMs) : _intervalMs);
    }

    /// <summary>An idle node writes nothing: what stands there says the same.</summary>
    private static bool IsSame(NodeCheckpoint left, NodeCheckpoint right) =>
        left.AttachNumber == right.AttachNumber && left.IsLeaving == right.IsLeaving && left.Laggards.Count == 0 && right.Laggards.Count == 0
        && left.Positions.SequenceEqual(right.Positions);
}
