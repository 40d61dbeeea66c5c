using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links;

internal sealed partial class BacklogReader
{
    private readonly Queue<LogScan> _pages = new();
    private readonly List<ScanFilter> _matching = [];
    private bool _isPosted;
    private long _reportedMs = long.MinValue / 2;

    /// <summary>A page is back. Pages are delivered in the order they came.</summary>
    public void OnPage(LogScan scan)
    {
        _pages.Enqueue(scan);
        if (_pages.Count == 1 && !_isPosted)
        {
            Run();
        }
    }

    /// <summary>One slice of deliveries; the rest follows in a later turn, behind the live messages that came meanwhile.</summary>
    protected override void Run()
    {
        _isPosted = false;
        int budget = _router.Options.BacklogDeliveriesPerTurn;
        while (_pages.TryPeek(out LogScan? scan))
        {
            if (scan.Offset == 0)
            {
                NoteLoss(scan);
                CheckLimits(scan);
            }

            if (!DeliverSome(scan, ref budget))
            {
                _isPosted = true;
                _router.Loop.Post(this);
                return;
            }

            _pages.Dequeue();
            Finish(scan);
        }

        PumpLater();
    }

    private static void NoteLoss(LogScan scan)
    {
        foreach (BacklogRead read in scan.Readers)
        {
            read.MayHaveLost |= scan.IsUsable && ReferenceEquals(read.Page, scan);
        }
    }

    /// <summary>Returns whether the page is over.</summary>
    private bool DeliverSome(LogScan scan, ref int left)
    {
        ReadOnlySpan<byte> page = scan.Page;
        while (scan.Offset < page.Length)
        {
            if (left <= 0)
            {
                return false;
            }

            if (FrameReader.TryRead(page[scan.Offset..], 0, ProtocolVersion.Mqtt50, out Frame frame, out _) != FrameStatus.Complete
                || !PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out PublishPacket packet, out _))
            {
                scan.Break();
                return true;
            }

            scan.Offset += frame.TotalLength;
            left -= 1 + Deliver(scan, packet);
        }

        return true;
    }

    private int Deliver(LogScan scan, in PublishPacket packet)
    {
        TrunklineFields fields = FieldsOf(packet);
        _router.Counters.Add(LinkCounter.BacklogRead);
        _matching.Clear();
        scan.Match(packet.Topic, _matching);
        if (fields.IsAged)
        {
            PassAged(scan, fields);
            return 0;
        }

        SharedMessage? message = null;
        FanOut fanOut = _router.Context.FanOut;
        foreach (ScanFilter filter in _matching)
        {
            foreach ((LiveSubscription live, BacklogRead read) in filter.Readers)
            {
                if (!read.Wants(scan, fields.Position) || live.IsRemoved || !live.Accepts(Group, fields.Position))
                {
                    continue;
                }

                if (message is null)
                {
                    message = _router.RentLogged(packet, fields, Group);
                    fanOut.Begin(message);
                }

                fanOut.Add(live.Subscription);
            }
        }

        if (message is null)
        {
            return 0;
        }

        int count = fanOut.Count;
        fanOut.DeliverBacklog();
        message.Release();
        return count;
    }

    /// <summary>Each session that would get the message passes it, once by however many filters.</summary>
    private void PassAged(LogScan scan, in TrunklineFields fields)
    {
        foreach (ScanFilter filter in _matching)
        {
            foreach ((LiveSubscription live, BacklogRead read) in filter.Readers)
            {
                if (live.Subscription.Options.QoS > QoS.AtMostOnce && read.Wants(scan, fields.Position) && !live.IsRemoved
                    && live.Accepts(Group, fields.Position) && !live.Subscription.Excludes(fields.Origin))
                {
                    read.PassAged(fields.Position);
                }
            }
        }
    }

    /// <summary>Everything of a page was delivered: each session goes on from where the page ends for it.</summary>
    private void Finish(LogScan scan)
    {
        bool failed = scan.Error is not null && !scan.IsUsable;
        if (scan.Error is not null)
        {
            Report(scan);
        }

        LogPosition dispatched = _router.Dispatched(Group);
        bool waits = failed || (scan.UpTo <= scan.From && dispatched > scan.From);
        foreach (BacklogRead read in scan.Readers)
        {
            if (read.IsCounting || !ReferenceEquals(read.Page, scan))
            {
                // It took nothing of this page and waits for its count, or was counted meanwhile and waits for another page.
                continue;
            }

            bool isPassedOver = scan.UpTo < read.After && dispatched > read.After;
            if (!read.IsOver && (waits || isPassedOver))
            {
                read.Renew(isPassedOver);
                _waiting.Add(read);
                continue;
            }

            read.Complete(scan.UpTo);
        }

        scan.Reset();
        _free.Push(scan);
        _underWay--;
        if (waits && !_retry.IsScheduled)
        {
            _router.Loop.Timers.Schedule(_retry, _router.Options.BacklogRetryMs);
        }
    }

    private void Report(LogScan scan)
    {
        int sessions = scan.Readers.Count(read => !read.IsOver);
        _router.Counters.Add(scan.IsUsable ? LinkCounter.BacklogLost : LinkCounter.BacklogFailed, scan.IsUsable ? sessions : 1);
        long now = _router.Loop.NowMs;
        if (now - _reportedMs < _router.Options.LogIntervalMs)
        {
            return;
        }

        _reportedMs = now;
        string name = _receiver.Group.Endpoint.Name;
        if (scan.IsUsable)
        {
            LinksLog.BacklogLost(_receiver.Group.Log, name, sessions, scan.From.ToString(), scan.UpTo.ToString());
        }
        else
        {
            LinksLog.BacklogFailed(_receiver.Group.Log, name, scan.From.ToString(), scan.Error!);
        }
    }
}
