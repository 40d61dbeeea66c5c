using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>The replays under way; those that wait for their session are tried again a few times a second.</summary>
internal sealed class RetainedReplays(Loop loop, RetainedMessages retained) : LoopTimer
{
    private const int RetryMs = 64;

    private readonly List<RetainedReplay> _waiting = [];

    public int Count => _waiting.Count;

    /// <summary>Begins to send the retained messages that match a subscription [MQTT-3.3.1-9] [MQTT-3.3.1-10].</summary>
    public void Begin(SessionSubscription subscription)
    {
        if (retained.Count == 0)
        {
            return;
        }

        var replay = new RetainedReplay(subscription, retained.Sequence);
        if (replay.Advance(retained))
        {
            _waiting.Add(replay);
            if (!IsScheduled)
            {
                loop.Timers.Schedule(this, RetryMs);
            }
        }
    }

    protected override void OnDue()
    {
        _waiting.RemoveAll(replay => !replay.Advance(retained));
        if (_waiting.Count > 0)
        {
            loop.Timers.Schedule(this, RetryMs);
        }
    }
}
