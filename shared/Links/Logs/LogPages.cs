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

        if (request.Positions is { } positions)
        {
            log.Read(new Call(loop, read => OnFound(request, read))
            {
                Kind = LogReadKind.At,
                After = request.From,
                Positions = positions,
                MaximumBytes = request.MaximumBytes,
            });
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
            upTo = read.Messages.Count > 0 ? read.Messages[^1].Position : upTo;
            int damaged = WriteAll(request, read);

            // A page that came to the end holds everything up to what was known to be there when it was asked for.
            upTo = !read.HasMore && dispatched > upTo ? dispatched : upTo;
            error = read.IsLossy ? LogScan.Lost : null;
            receiver.ReportDamaged(damaged, upTo);
            request.TakeNumbers(0, read.HasMore ? read.Left : 0, aged: 0);
        }

        Answer(request, upTo, error);
    }

    /// <summary>Everything up to the last position that was looked at is on the page, or not there.</summary>
    private void OnFound(LogRequest request, Call read)
    {
        _page.ResetWrittenCount();
        LogPosition upTo = read.After;
        if (read.IsOk)
        {
            upTo = read.Looked > 0 ? read.Positions[read.Looked - 1] : upTo;
            receiver.ReportDamaged(WriteAll(request, read), upTo);
            request.TakeNumbers(0, read.Positions.Count - read.Looked, aged: 0);
        }

        Answer(request, upTo, read.IsOk ? null : read.Fault);
    }

    /// <summary>Writes the messages of an answer to the page; how many could not be read.</summary>
    private int WriteAll(LogRequest request, Call read)
    {
        int damaged = 0;
        long now = log.NowMs;
        long mostAgeMs = request.AgeSeconds > 0 ? request.AgeSeconds * 1000L : long.MaxValue;
        foreach ((LogPosition position, ReadOnlyMemory<byte> data) in read.Messages)
        {
            if (LoggedEntry.TryRead(data.Span, out PublishPacket packet, out TrunklineFields fields))
            {
                LoggedEntry.WriteTo(_page, packet, fields, position, now - (long)position.Term, mostAgeMs);
            }
            else
            {
                damaged++;
            }
        }

        return damaged;
    }

    private void Answer(LogRequest request, LogPosition upTo, string? error)
    {
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
