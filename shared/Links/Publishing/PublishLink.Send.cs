using System.Buffers.Binary;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links;

internal sealed partial class PublishLink
{
    /// <summary>
    /// Writes what may be written: first what an older connection has carried already, then what is new, within the
    /// broker's Receive Maximum [MQTT-3.3.4-7] and as fast as it reads.
    /// </summary>
    /// <remarks>
    /// A repeat goes out with DUP 0: the session is clean, so to the broker it is a first PUBLISH, and DUP 1 on a packet
    /// identifier it has never seen would be a lie [MQTT-3.3.1-1]. Our broker knows a repeat by its number; a foreign one
    /// cannot know it, which is why QoS 1 through a foreign broker may repeat after a loss.
    /// </remarks>
    private void Pump()
    {
        while (_sent < Writable && IsOpen && _unacknowledged < _receiveMaximum && _sent < MaximumSpan && !Connection!.IsCongested)
        {
            ref KeptMessage kept = ref _ring[_sent];
            bool isNew = _sent >= _written;

            // What is in a log goes to the broker, too, with its last second: only what nobody has seen is let go.
            if (kept.ExpirySeconds != 0 && Loop.NowMs - kept.KeptAtMs >= 1000 && !Age(ref kept, isNew && _log is null))
            {
                Expire();
                continue;
            }

            if (isNew)
            {
                AssignNumber(ref kept);
                _written = _sent + 1;
            }
            else
            {
                Counters.Add(LinkCounter.SentAgain);
            }

            EncodedPublish.Write(Connection.Output, kept.Frame, kept.PacketIdOffset, _nextPacketId);
            _nextPacketId = Next(_nextPacketId);
            _sent++;
            _unacknowledged++;
        }
    }

    private static ushort Next(ushort packetId) => packetId == ushort.MaxValue ? (ushort)1 : (ushort)(packetId + 1);

    /// <summary>
    /// Numbers rise by one with each message that is really written. One that was refused while it waited leaves a hole,
    /// which is closed here: the digits are rewritten in place, with leading zeros where the number has become shorter.
    /// </summary>
    private void AssignNumber(ref KeptMessage kept)
    {
        if (kept.NumberDigits == 0)
        {
            return;
        }

        ulong number = ++_lastWrittenNumber;
        if (kept.Number == number)
        {
            return;
        }

        kept.Number = number;
        Span<byte> digits = kept.Frame.Slice(kept.NumberOffset, kept.NumberDigits);
        for (int i = digits.Length - 1; i >= 0; i--)
        {
            digits[i] = (byte)('0' + (number % 10));
            number /= 10;
        }
    }

    /// <summary>Takes the time a message has waited off its lifetime [MQTT-3.3.2-6]; false when one never written is over [MQTT-3.3.2-5].</summary>
    private bool Age(ref KeptMessage kept, bool isNew)
    {
        long left = kept.ExpirySeconds - ((Loop.NowMs - kept.KeptAtMs) / 1000);
        if (left <= 0 && isNew)
        {
            return false;
        }

        BinaryPrimitives.WriteUInt32BigEndian(kept.Frame[kept.ExpiryOffset..], (uint)long.Max(1, left));
        return true;
    }

    /// <summary>The message at <c>_sent</c>, never written, has outlived itself: its publisher did all it had to.</summary>
    private void Expire()
    {
        KeptMessage kept = _ring[_sent];
        _ring.RemoveAt(_sent, 1);
        _frames.Return(kept.Block);
        Counters.Add(LinkCounter.ExpiredWaiting);
        kept.Ticket.Complete(ReasonCode.Success);
    }

    private bool Acknowledge(ushort packetId, ReasonCode reason)
    {
        int index = (packetId - _headPacketId + ushort.MaxValue) % ushort.MaxValue;
        if (packetId == 0 || index >= _sent || _ring[index].IsDone)
        {
            return false;
        }

        ref KeptMessage kept = ref _ring[index];
        PublishTicket ticket = kept.Ticket;
        _frames.Return(kept.Block);
        kept.IsDone = true;
        kept.Ticket = default;
        _unacknowledged--;
        while (_sent > 0 && _ring[0].IsDone)
        {
            _ring.RemoveFirst();
            _sent--;
            MoveMarks(1);
            _headPacketId = Next(_headPacketId);
        }

        Counters.Add(LinkCounter.Acknowledged);

        // Last, for it may publish a will or resume a channel.
        ticket.Complete(reason == ReasonCode.NoMatchingSubscribers ? ReasonCode.Success : reason);
        Pump();
        ResumePublishers();
        return true;
    }
}
