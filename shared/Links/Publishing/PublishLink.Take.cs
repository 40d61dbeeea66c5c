using System.Buffers;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links;

internal sealed partial class PublishLink
{
    private const int StackBytes = 512;

    /// <summary>Takes one message of a session of this loop. Copies what it keeps.</summary>
    public PublishOutcome Publish(in PublishRequest request, PublishTicket ticket)
    {
        int length = request.Forwardable.IsEmpty ? request.ForwardableLength : 0;
        if (length == 0)
        {
            return Take(request, ticket, request.Forwardable);
        }

        if (length <= StackBytes)
        {
            Span<byte> buffer = stackalloc byte[StackBytes];
            return Take(request, ticket, buffer[..request.CopyForwardable(buffer)]);
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            return Take(request, ticket, rented.AsSpan(0, request.CopyForwardable(rented)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private PublishOutcome Take(in PublishRequest request, PublishTicket ticket, scoped ReadOnlySpan<byte> properties)
    {
        Span<byte> buffer = stackalloc byte[FieldWriter.MaximumBytes];
        var fields = new FieldWriter(buffer);
        WriteFields(ref fields, request);
        bool hasFields = !fields.Text.IsEmpty;
        var encoder = new PublishEncoder
        {
            Version = ProtocolVersion.Mqtt50,
            Topic = request.Topic,
            Payload = request.Payload,
            ForwardableProperties = properties,
            QoS = request.QoS == QoS.AtMostOnce ? QoS.AtMostOnce : QoS.AtLeastOnce,
            Retain = request.Retain,
            PacketId = (ushort)(request.QoS == QoS.AtMostOnce ? 0 : 1),
            RemainingExpirySeconds = request.MessageExpirySeconds,
            ExtraKey = hasFields ? ForwardableProperties.TrunklineKey : default,
            ExtraValue = hasFields ? fields.Text : default,
        };
        int size = encoder.Measure();
        if (size == 0 || (_maximumPacketSize != 0 && size > _maximumPacketSize))
        {
            Counters.Add(LinkCounter.RefusedTooLarge);
            return new PublishOutcome(ReasonCode.ImplementationSpecificError, false);
        }

        if (request.QoS == QoS.AtMostOnce)
        {
            return WriteThrough(ref encoder, request.Publisher);
        }

        if (_ring.Count >= Options.MaximumPendingMessages || _ring.Bytes + size > Options.MaximumPendingBytes
            || (!IsOpen && Loop.Memory.IsShort))
        {
            Counters.Add(LinkCounter.RefusedFull);
            return new PublishOutcome(ReasonCode.QuotaExceeded, false);
        }

        int valueEnd = size - request.Payload.Length - properties.Length;
        Keep(ref encoder, size, valueEnd - fields.Text.Length, request, ticket);
        Pump();
        OfferLater();
        ScheduleAway();
        return Outcome(request.Publisher);
    }

    private void WriteFields(ref FieldWriter fields, in PublishRequest request)
    {
        if (!_isForeign && request.QoS != QoS.AtMostOnce)
        {
            fields.Number(_nextNumber);
        }

        if (request.QoS == QoS.ExactlyOnce)
        {
            fields.OriginalQoS2();
        }

        if (_isForeign && request.Retain)
        {
            // Its subscription has Retain As Published 0: the flag would be lost on the way.
            fields.Retain();
        }

        if (!_isForeign && !request.Id.IsNone && request.QoS != QoS.AtMostOnce)
        {
            fields.Message(request.Id);
        }

        if (request.Origin != 0)
        {
            fields.Origin(request.Origin);
        }

        if (_log is not null && request.QoS != QoS.AtMostOnce)
        {
            fields.Logged();
        }
    }

    /// <summary>
    /// Takes one QoS 0 message without anything beside topic and payload: nine of ten, and many to a read. The topic is as it
    /// stands on the wire.
    /// </summary>
    public PublishOutcome PublishPlain(ReadOnlySpan<byte> topicField, ReadOnlySpan<byte> payload, Session publisher)
    {
        int size = PacketWriter.MeasurePlainPublish(topicField, payload);
        if (size == 0 || (_maximumPacketSize != 0 && size > _maximumPacketSize))
        {
            Counters.Add(LinkCounter.RefusedTooLarge);
            return new PublishOutcome(ReasonCode.ImplementationSpecificError, false);
        }

        if (!MayWriteThrough())
        {
            return PublishOutcome.Taken;
        }

        PacketWriter.WritePlainPublish(Connection!.Output, topicField, payload, size);
        Counters.Add(LinkCounter.PublishedQoS0);
        return Outcome(publisher);
    }

    private PublishOutcome WriteThrough(ref PublishEncoder encoder, Session publisher)
    {
        if (!MayWriteThrough())
        {
            return PublishOutcome.Taken;
        }

        encoder.Write(Connection!.Output);
        Counters.Add(LinkCounter.PublishedQoS0);
        return Outcome(publisher);
    }

    /// <summary>What is not written now at QoS 0 is dropped, and counted.</summary>
    private bool MayWriteThrough()
    {
        if (!IsOpen)
        {
            Counters.Add(LinkCounter.DroppedAway);
            return false;
        }

        if (Connection!.UnsentBytes > Options.DropQoS0Bytes)
        {
            Counters.Add(LinkCounter.DroppedCongested);
            return false;
        }

        return true;
    }

    private void Keep(ref PublishEncoder encoder, int size, int fieldsOffset, in PublishRequest request, PublishTicket ticket)
    {
        FrameBlock block = _frames.Rent(size, out int offset);
        encoder.Write(block.Bytes.AsSpan(offset, size));
        var kept = new KeptMessage
        {
            Ticket = ticket,
            Block = block,
            Offset = offset,
            Length = size,
            PacketIdOffset = encoder.PacketIdOffset,
            KeptAtMs = Loop.NowMs,
        };
        if (!_isForeign)
        {
            kept.Number = _nextNumber;
            kept.NumberOffset = fieldsOffset + 1;
            kept.NumberDigits = (byte)Digits(_nextNumber);
            _nextNumber++;
        }

        if (request.MessageExpirySeconds is { } seconds)
        {
            // The encoder puts the expiry first: packet id (2), length of the properties, 0x02, four bytes.
            VariableByteInteger.TryRead(kept.Frame[(kept.PacketIdOffset + 2)..], out _, out int lengthBytes);
            kept.ExpiryOffset = kept.PacketIdOffset + 2 + lengthBytes + 1;
            kept.ExpirySeconds = seconds;
        }

        if (_log is not null && !request.Id.IsNone)
        {
            kept.Id = request.Id.ToString();
        }

        _ring.Add(kept);
        Counters.Add(LinkCounter.PublishedQoS1);
    }

    private static int Digits(ulong value)
    {
        int digits = 1;
        for (; value >= 10; value /= 10)
        {
            digits++;
        }

        return digits;
    }

    /// <summary>Taken; a link of a connected group that is fuller than its mark asks the publisher to pause.</summary>
    private PublishOutcome Outcome(Session publisher)
    {
        if (publisher.Channel is null || !IsOpen || !IsFull(1))
        {
            return PublishOutcome.Taken;
        }

        if (_paused.Count >= Options.MaximumPausedSessions)
        {
            Counters.Add(LinkCounter.PublishersNotPaused);
            return PublishOutcome.Taken;
        }

        _paused.Add(publisher);
        Counters.Add(LinkCounter.PublishersPaused);
        return new PublishOutcome(ReasonCode.Success, true);
    }

    private bool IsFull(int divisor) =>
        _ring.Count > Options.HighWaterMessages / divisor
        || _ring.Bytes > Options.HighWaterBytes / divisor
        || Connection!.UnsentBytes > Options.HighWaterBytes / divisor;

    private void ResumePublishers()
    {
        if (_paused.Count > 0 && IsOpen && !IsFull(2))
        {
            ResumeAll();
        }
    }

    private void ResumeAll()
    {
        for (int i = 0; i < _paused.Count; i++)
        {
            _paused[i].Channel?.ResumeReading();
        }

        _paused.Clear();
    }
}
