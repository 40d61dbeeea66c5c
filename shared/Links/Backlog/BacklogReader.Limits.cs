using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links;

/// <content>
/// The limits of a backlog. Counting each session's backlog exactly would read the log once more for each; so the first
/// page tells whether it can be near a limit at all, and only then the broker counts. Each half of a limit that was
/// delivered makes the session count as new.
/// </content>
internal sealed partial class BacklogReader
{
    private readonly Queue<LogCount> _toCount = new();
    private readonly List<LogPosition> _positions = [];
    private int _counting;
    private long _limitedMs = long.MinValue / 2;
    private int _limitedHeldBack;

    /// <summary>A count is back: the session goes on within its limits.</summary>
    public void OnCount(LogCount count)
    {
        _counting--;
        BacklogRead read = count.Read;
        read.IsCounting = false;
        if (!read.IsOver && count.IsFailed)
        {
            // The broker counts for many: asked again after its page.
            Renew(read);
        }
        else if (!read.IsOver)
        {
            Log(read, count.Skipped);
            read.ApplyLimits(count.PassedOver, count.Skipped, count.Left, count.Aged);
            if (!read.IsOver)
            {
                Renew(read);
            }
        }

        PumpCounts();
        PumpLater();
    }

    private void Renew(BacklogRead read)
    {
        read.Renew(false);
        _waiting.Add(read);
    }

    /// <summary>Before a page is delivered: those whose limits were not looked at are counted on it.</summary>
    private void CheckLimits(LogScan scan)
    {
        bool isAny = false;
        foreach (BacklogRead read in scan.Readers)
        {
            isAny |= !read.IsOver && read.NeedsCheck;
        }

        if (!isAny)
        {
            return;
        }

        CountOnPage(scan);
        foreach (BacklogRead read in scan.Readers)
        {
            if (read.IsOver || !read.NeedsCheck || read.Counted == 0)
            {
                continue;
            }

            if (IsWithin(scan, read))
            {
                read.Allow();
            }
            else
            {
                read.IsCounting = true;
                _toCount.Enqueue(new LogCount(this, _receiver, _router.Loop.Index, read));
            }
        }

        PumpCounts();
    }

    private void CountOnPage(LogScan scan)
    {
        _positions.Clear();
        ReadOnlySpan<byte> page = scan.Page;
        while (FrameReader.TryRead(page, 0, ProtocolVersion.Mqtt50, out Frame frame, out _) == FrameStatus.Complete
            && PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out PublishPacket packet, out _))
        {
            page = page[frame.TotalLength..];
            TrunklineFields fields = FieldsOf(packet);
            _positions.Add(fields.Position);
            if (fields.IsAged)
            {
                continue;
            }

            _matching.Clear();
            scan.Match(packet.Topic, _matching);
            int size = packet.Topic.Length + packet.Payload.Length;
            foreach (ScanFilter filter in _matching)
            {
                foreach ((LiveSubscription live, BacklogRead read) in filter.Readers)
                {
                    if (read.NeedsCheck && live.Subscription.Options.QoS > QoS.AtMostOnce && read.IsWaiting(fields.Position)
                        && live.Accepts(Group, fields.Position) && !live.Subscription.Excludes(fields.Origin))
                    {
                        read.Count(fields.Position, size);
                    }
                }
            }
        }
    }

    /// <summary>
    /// On the last page the count is exact; before it, what is left of the log is taken to hold as many, and within half of
    /// a limit is within it.
    /// </summary>
    private bool IsWithin(LogScan scan, BacklogRead read)
    {
        MqttOptions options = read.Session.Context.Options;
        if (scan.Left == 0)
        {
            return read.Counted <= options.BacklogMessages && read.CountedBytes <= options.BacklogBytes;
        }

        double times = 1 + ((double)scan.Left / Looked(scan, read.After > scan.From ? read.After : scan.From));
        return read.Counted * times <= options.BacklogMessages / 2.0 && read.CountedBytes * times <= options.BacklogBytes / 2.0;
    }

    /// <summary>
    /// Messages of the log, of whatever topic, from a place to the page's end: our broker's offsets count them; positions in
    /// a log beside a foreign broker are times, but its pages hold everything.
    /// </summary>
    private ulong Looked(LogScan scan, LogPosition place)
    {
        if (_receiver.Group.Endpoint.Log is null)
        {
            return ulong.Max(1, scan.UpTo.Term == place.Term ? scan.UpTo.Offset - place.Offset : scan.UpTo.Offset);
        }

        int first = _positions.BinarySearch(place);
        return (ulong)int.Max(1, _positions.Count - (first < 0 ? ~first : first + 1));
    }

    private void PumpCounts()
    {
        while (_counting < _router.Options.BacklogCounts && _toCount.TryDequeue(out LogCount? count))
        {
            if (!count.Read.IsOver)
            {
                _counting++;
                _router.Counters.Add(LinkCounter.BacklogCounts);
                count.Build(_router.Options.BacklogFilters);
                count.Send();
            }
        }
    }

    private void Log(BacklogRead read, long skipped)
    {
        if (skipped == 0)
        {
            return;
        }

        long now = _router.Loop.NowMs;
        if (now - _limitedMs < _router.Options.LogIntervalMs)
        {
            _limitedHeldBack++;
            return;
        }

        LinksLog.BacklogLimited(
            _receiver.Group.Log, read.Session.ClientId, _receiver.Group.Endpoint.Name, skipped,
            read.Session.Context.Options.BacklogPolicy, new HeldBackLines(_limitedHeldBack));
        _limitedMs = now;
        _limitedHeldBack = 0;
    }

    private static TrunklineFields FieldsOf(in PublishPacket packet) =>
        ForwardableProperties.TryFindUserProperty(packet.Properties, ForwardableProperties.TrunklineKey, out ReadOnlySpan<byte> text)
            ? TrunklineFields.Parse(text)
            : default;
}
