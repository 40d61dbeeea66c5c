using System.Buffers;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// Answers from the log beside a foreign broker what sessions that catch up ask our broker's log: pages, and counts of what
/// is within a backlog's limits. On the receiver's loop only. How much is under way is bounded where it is asked
/// (<c>Links:BacklogScans</c>, <c>BacklogCounts</c>).
/// </summary>
internal sealed class LogPages(GroupReceiver receiver, IForeignLog log, Loop loop)
{
    private readonly ArrayBufferWriter<byte> _page = new();
    private readonly LinkOptions _options = receiver.Group.Node.Options;

    /// <summary>
    /// Reads a page from a position on, whatever its filters say, for the asker matches for itself; or counts. Each is
    /// answered once, with what was wrong where the log could not be read.
    /// </summary>
    public void Ask(LogRequest request)
    {
        if (request.Newest is { } newest)
        {
            new BacklogCount(receiver, log, loop, request, newest).Begin();
            return;
        }

        LogPosition dispatched = receiver.Dispatched;
        log.Read(new Call(loop, read => OnPage(request, read, dispatched))
        {
            Kind = LogReadKind.Page,
            After = request.From,
            MaximumBytes = request.MaximumBytes,
        });
    }

    /// <summary>What our broker's pages are made of: PUBLISH packets with their positions.</summary>
    private void OnPage(LogRequest request, Call read, LogPosition dispatched)
    {
        _page.ResetWrittenCount();
        LogPosition upTo = read.After;
        string? error = read.IsOk ? null : read.Fault;
        if (read.IsOk)
        {
            int damaged = 0;
            long now = log.NowMs;
            long mostAgeMs = request.AgeSeconds > 0 ? request.AgeSeconds * 1000L : long.MaxValue;
            foreach ((LogPosition position, ReadOnlyMemory<byte> data) in read.Messages)
            {
                upTo = position;
                if (LoggedEntry.TryRead(data.Span, out PublishPacket packet, out TrunklineFields fields))
                {
                    LoggedEntry.WriteTo(_page, packet, fields, position, now - (long)position.Term, mostAgeMs);
                }
                else
                {
                    damaged++;
                }
            }

            // A page that came to the end holds everything up to what was known to be there when it was asked for.
            upTo = !read.HasMore && dispatched > upTo ? dispatched : upTo;
            error = read.IsLossy ? LogScan.Lost : null;
            receiver.ReportDamaged(damaged, upTo);
            request.TakeNumbers(0, read.HasMore ? read.Left : 0, aged: 0);
        }

        request.TakePage(_page.WrittenSpan, upTo, error);
        receiver.Answer(request);
        if (_page.Capacity > 4 * _options.BacklogPageBytes)
        {
            // One large page must not stay for ever.
            _page.Clear();
        }
    }

    private sealed class Call(Loop loop, Action<Call> answered) : LogRead(loop)
    {
        protected override void Run() => answered(this);
    }
}
