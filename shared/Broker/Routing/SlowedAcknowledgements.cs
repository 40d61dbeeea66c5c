using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// Acknowledgements that come later: of tenants that have more than their share of the log while their history is shorter
/// than the floor. The same time for each, so it is bounded and they stay in order; those of others are not behind them.
/// Loop thread only.
/// </summary>
internal sealed class SlowedAcknowledgements(BrokerState state, Action<LogPosition, PublishTicket> acknowledge) : LoopTimer
{
    private readonly Queue<(long DueMs, LogPosition Position, PublishTicket Ticket)> _waiting = new();

    /// <summary>Whether the acknowledgement of a message just appended is kept here for its time.</summary>
    public bool Takes(ReadOnlySpan<byte> topic, LogPosition position, PublishTicket ticket)
    {
        if (state.Options.RetentionFloorMs == 0 || !state.Log.IsSlowed(topic))
        {
            return false;
        }

        state.Counters.Add(BrokerCounter.PublishesSlowed);
        _waiting.Enqueue((state.NowMs + state.Options.SlowedMs, position, ticket));
        if (_waiting.Count == 1)
        {
            state.Context.Loop.Timers.Schedule(this, state.Options.SlowedMs);
        }

        return true;
    }

    /// <summary>The time of the first has come.</summary>
    protected override void OnDue()
    {
        while (_waiting.TryPeek(out var first) && first.DueMs <= state.NowMs)
        {
            _waiting.Dequeue();
            acknowledge(first.Position, first.Ticket);
        }

        if (_waiting.TryPeek(out var next))
        {
            state.Context.Loop.Timers.Schedule(this, int.Max(1, (int)(next.DueMs - state.NowMs)));
        }
    }
}
