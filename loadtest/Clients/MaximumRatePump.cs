using Trunkline.Hosting;
using Trunkline.Transports;

namespace Trunkline.Loadtest;

/// <summary>
/// Maximum rate on one loop: publishers that can send stand in a queue and take turns of a few messages each, so that
/// the loop reads between them. A publisher whose window or transport is full leaves the queue and comes back with an
/// acknowledgement or with OnWritable. Loop thread only.
/// </summary>
internal sealed class MaximumRatePump(LoadLoop loop, LoadClock clock, OutstandingGate gate) : LoopWork
{
    private const int MessagesPerTurn = 32;
    private const long GateWaitNs = 50_000;

    private readonly Queue<Publisher> _queue = new();
    private GateTimer? _timer;
    private long _left;
    private bool _isRunning;
    private bool _isPosted;

    /// <summary>Whether it has sent all it may, or was stopped.</summary>
    public bool IsDone => !_isRunning || _left == 0;

    private EpollLoop Epoll => loop.Loop;

    /// <summary>Begins with these, which send so many messages in all.</summary>
    public void Start(IEnumerable<Publisher> publishers, long count)
    {
        _isRunning = true;
        _left = count;
        foreach (Publisher publisher in publishers)
        {
            publisher.Pump = this;
            Enqueue(publisher);
        }
    }

    /// <summary>Sends no more.</summary>
    public void Stop()
    {
        _isRunning = false;
        _timer?.Close();
    }

    /// <summary>A publisher may be able to send.</summary>
    public void Enqueue(Publisher publisher)
    {
        if (!IsDone && !publisher.IsQueued)
        {
            publisher.IsQueued = true;
            _queue.Enqueue(publisher);
            PostOnce();
        }
    }

    /// <inheritdoc/>
    protected override void Run()
    {
        _isPosted = false;
        long nowNs = clock.NowNs;
        for (int turns = _queue.Count; turns > 0 && !IsDone; turns--)
        {
            int room = gate.RoomFor(_queue.Peek().Copies, nowNs);
            if (room == 0)
            {
                (_timer ??= new GateTimer(this)).Arm(GateWaitNs);
                return;
            }

            Publisher publisher = _queue.Dequeue();
            publisher.IsQueued = false;
            int most = (int)Math.Min(Math.Min(MessagesPerTurn, room), _left);
            int sent = publisher.SendNow(most, nowNs);
            _left -= sent;
            if (sent == most)
            {
                Enqueue(publisher);
            }
        }

        if (_queue.Count > 0 && !IsDone)
        {
            PostOnce();
        }
    }

    private void PostOnce()
    {
        if (!_isPosted)
        {
            _isPosted = true;
            loop.Loop.Post(this);
        }
    }

    private sealed class GateTimer(MaximumRatePump pump) : PreciseTimer(pump.Epoll)
    {
        protected override void OnDue() => pump.PostOnce();
    }
}
