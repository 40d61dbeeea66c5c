using System.Buffers;
using System.Text;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// Answers what is published to <c>$trunkline/...</c>: the reply goes to the asking connection alone, in order with
/// everything else on it. An asker that reads too slowly is not read from until it has drained.
/// </summary>
internal sealed class RequestHandler(BrokerState state, LinkTable links, Func<BrokerStatistics> statistics)
{
    /// <summary>Bytes around a page in its PUBLISH: header, topic, correlation data and our property lie below it.</summary>
    private const int ReplyOverheadBytes = 1024;

    private readonly ArrayBufferWriter<byte> _page = new(4096);
    private readonly RetainedPages _retained = new(state);
    private readonly LogPages _log = new(state);
    private readonly List<WaitingRequest> _waitingForDisk = [];
    private int _counting;

    /// <summary>Takes a request; the publish itself is always acknowledged.</summary>
    public PublishOutcome Answer(in PublishRequest request, PublishTicket ticket)
    {
        Channel? channel = request.Publisher.Channel;
        if (channel is null || !request.Properties.HasResponseTopic || request.Properties.ResponseTopic.IsEmpty)
        {
            state.Counters.Add(BrokerCounter.RequestsFailed);
            return new PublishOutcome(ReasonCode.NotAuthorized, false);
        }

        state.Counters.Add(BrokerCounter.Requests);
        ReadOnlySpan<byte> what = request.Topic[BrokerTopics.Requests.Length..];
        if (what.SequenceEqual("resume"u8))
        {
            AnswerResume(request, channel);
        }
        else if (what.SequenceEqual("retained"u8) || what.SequenceEqual("log"u8))
        {
            AnswerPage(request, channel, what.SequenceEqual("log"u8));
        }
        else if (what.SequenceEqual("shares"u8))
        {
            AnswerShares(request, channel);
        }
        else if (what.SequenceEqual("statistics"u8))
        {
            _page.ResetWrittenCount();
            StatisticsText.Write(_page, statistics());
            Reply(request, channel, _page.WrittenSpan, default);
        }
        else
        {
            Fail(request, channel, "There is no such request; there are resume, retained, log, shares and statistics.");
        }

        ticket.Complete(ReasonCode.Success);
        return new PublishOutcome(ReasonCode.Success, channel.IsCongested);
    }

    private void AnswerResume(in PublishRequest request, Channel channel)
    {
        if (request.Publisher.RouterState is not ReceiveLink link)
        {
            Fail(request, channel, "Only a receive link resumes.");
            return;
        }

        LogPosition? after = null;
        if (LinkText.TryParsePosition(request.Payload, out LogPosition position))
        {
            after = position;
        }
        else if (!request.Payload.SequenceEqual("tail"u8))
        {
            Fail(request, channel, "The payload of resume is neither a position nor tail.");
            return;
        }

        if (link.IsRunning)
        {
            Fail(request, channel, "The receive link was resumed already.");
            return;
        }

        (LogPosition start, bool mayHaveLost) = links.Resume(link, after);
        var text = new LinkText(stackalloc byte[LinkText.MaximumBytes]);
        text.Position(start);
        if (mayHaveLost)
        {
            text.Text('e', "lost"u8);
        }

        Reply(request, channel, default, text.Value);
    }

    /// <summary>What is taken is answered when the log has it as durably as a message; any other report at once.</summary>
    private void AnswerShares(in PublishRequest request, Channel channel)
    {
        if (request.Publisher.RouterState is not ReceiveLink link)
        {
            Fail(request, channel, "Only a receive link reports on shares.");
            return;
        }

        var report = new ShareReport(state, link);
        if (report.Run(request.Payload) is { } error)
        {
            Fail(request, channel, error);
            return;
        }

        byte[] answers = report.Answers;
        if (answers.Length == 0)
        {
            Reply(request, channel, default, default);
            return;
        }

        byte[] topic = request.Properties.ResponseTopic.ToArray();
        byte[] correlation = CorrelationOf(request);
        state.Shares.WhenRecorded(() =>
        {
            if (channel.IsOpen)
            {
                Write(channel, topic, correlation, answers, default);
            }
        });
    }

    private void AnswerPage(in PublishRequest request, Channel channel, bool isLog)
    {
        RequestText? text = RequestText.TryParse(request.Payload, state.Context.Options.TopicLimits, state.Options, out string error);
        if (text is not null)
        {
            error = isLog ? LogPages.Check(text) : RetainedPages.Check(text);
        }

        if (text is null || error.Length > 0)
        {
            Fail(request, channel, error);
            return;
        }

        if (isLog && text.Newest is not null)
        {
            AnswerNewest(request, channel, text);
            return;
        }

        byte[] correlation = CorrelationOf(request);
        byte[]? fields = WritePage(text, channel, request.Properties.ResponseTopic.Length + correlation.Length, isLog);
        if (fields is null)
        {
            WaitForDisk(new WaitingPage(this, text, channel, request.Properties.ResponseTopic.ToArray(), correlation));
            return;
        }

        Write(channel, request.Properties.ResponseTopic, correlation, _page.WrittenSpan, fields);
    }

    /// <summary>Null when it has to wait for the disk.</summary>
    private byte[]? WritePage(RequestText text, Channel channel, int replyBytes, bool isLog)
    {
        int bytes = int.Min(text.Bytes ?? state.Options.PageBytes, state.Options.MaximumPageBytes);
        int limit = channel.MaximumPacketSize == 0
            ? int.MaxValue
            : (int)uint.Min(int.MaxValue, channel.MaximumPacketSize) - ReplyOverheadBytes - replyBytes;
        _page.ResetWrittenCount();
        return isLog && text.At.Count > 0 ? _log.WriteAt(text, _page, bytes, limit)
            : isLog ? _log.Write(text, _page, bytes, limit)
            : _retained.Write(text, _page, bytes, limit);
    }

    /// <summary>Asked again at once and in vain is worse than answered a moment later; but what waits is bounded.</summary>
    private void WaitForDisk(WaitingPage page)
    {
        if (_waitingForDisk.Count < state.Options.RequestsWaitingMaximum)
        {
            _waitingForDisk.Add(page);
            return;
        }

        state.Counters.Add(BrokerCounter.RequestsNotWaited);
        Write(page.Channel, page.Topic, page.Correlation, default, _log.Nothing(page.Text));
    }

    /// <summary>A page that waited for the disk.</summary>
    public void OnReadable(WaitingPage page)
    {
        if (!page.Channel.IsOpen)
        {
            return;
        }

        byte[]? fields = WritePage(page.Text, page.Channel, page.Topic.Length + page.Correlation.Length, isLog: true);
        if (fields is null)
        {
            WaitForDisk(page);
            return;
        }

        Write(page.Channel, page.Topic, page.Correlation, _page.WrittenSpan, fields);
    }

    /// <summary>Counts in slices; the answer follows when it is counted, to the connection that asked.</summary>
    private void AnswerNewest(in PublishRequest request, Channel channel, RequestText text)
    {
        if (_counting >= state.Options.CountsMaximum)
        {
            Fail(request, channel, "Too many counts of the log are under way; ask again later.");
            return;
        }

        byte[] topic = request.Properties.ResponseTopic.ToArray();
        byte[] correlation = CorrelationOf(request);
        _counting++;
        new LogNewest(state, text, this, channel, topic, correlation).Begin();
    }

    /// <summary>A count waits for a part of the log that is on its way from disk.</summary>
    public void OnWaiting(LogNewest newest) => _waitingForDisk.Add(newest);

    /// <summary>A count is over; what it found counts if its connection still stands.</summary>
    public void OnCounted(LogNewest newest)
    {
        _counting--;
        if (newest.Channel.IsOpen)
        {
            WriteNewest(newest);
        }
    }

    /// <summary>Parts of the log that were on disk can be read: who waited for them goes on.</summary>
    public void OnReadable()
    {
        foreach (WaitingRequest waiting in _waitingForDisk)
        {
            state.Context.Loop.Post(waiting);
        }

        _waitingForDisk.Clear();
    }

    private void WriteNewest(LogNewest newest)
    {
        var fields = new LinkText(stackalloc byte[LinkText.MaximumBytes]);
        fields.Position(newest.Position);
        fields.Number('k', (ulong)newest.Skipped);
        fields.Number('l', (ulong)newest.Left);
        if (newest.Aged > 0)
        {
            fields.Number('a', (ulong)newest.Aged);
        }

        if (newest.MayHaveLost)
        {
            fields.Text('e', "lost"u8);
        }

        Write(newest.Channel, newest.Topic, newest.Correlation, default, fields.Value);
    }

    private void Fail(in PublishRequest request, Channel channel, string sentence)
    {
        state.Counters.Add(BrokerCounter.RequestsFailed);
        Reply(request, channel, default, Encoding.UTF8.GetBytes("e" + sentence));
    }

    private void Reply(in PublishRequest request, Channel channel, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> fields) =>
        Write(channel, request.Properties.ResponseTopic, CorrelationOf(request), payload, fields);

    /// <summary>The correlation data as a property of the reply; empty when the request has none.</summary>
    private static byte[] CorrelationOf(in PublishRequest request)
    {
        if (!request.Properties.HasCorrelationData)
        {
            return [];
        }

        ReadOnlySpan<byte> correlation = request.Properties.CorrelationData;
        var properties = new byte[3 + correlation.Length];
        properties[0] = (byte)PropertyId.CorrelationData;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(properties.AsSpan(1), (ushort)correlation.Length);
        correlation.CopyTo(properties.AsSpan(3));
        return properties;
    }

    private void Write(Channel channel, ReadOnlySpan<byte> topic, byte[] properties, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> fields)
    {
        var encoder = new PublishEncoder
        {
            Version = channel.Version,
            Topic = topic,
            Payload = payload,
            ForwardableProperties = properties,
            ExtraKey = fields.IsEmpty ? default : ForwardableProperties.TrunklineKey,
            ExtraValue = fields,
        };
        if (encoder.Write(channel.Host.Output, channel.MaximumPacketSize) == 0)
        {
            state.Counters.Add(BrokerCounter.RequestsFailed);
        }
    }
}
