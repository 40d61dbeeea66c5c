using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <content>
/// Outgoing QoS 2 by writing ahead: (packet identifier, group, position) is stored before PUBLISH leaves, "received" before
/// PUBREL. So whoever goes on with the session after the death of this node sends the same message under the same
/// identifier, or only PUBREL, and passes its position over in the log.
/// </content>
public sealed partial class Session
{
    /// <summary>An entry was added to the window: it is sent when its record is stored.</summary>
    private void RecordOutgoing(ref OutboundEntry entry)
    {
        entry.State = OutboundState.AwaitingRecord;
        SharedMessage message = entry.Pending.Message;
        bool isLogged = entry.Pending.IsLogged;
        Journal.Set(SessionStateCodec.Encode(StateOf(entry, OutgoingStage.Sent)));
        Journal.AddOutgoing(entry.PacketId, isLogged ? message.Group : -1, isLogged ? message.Position : LogPosition.None);
        Await(new JournalWait(JournalStep.SendPublish, entry.PacketId, Attachment));
    }

    /// <summary>The record is stored: PUBLISH goes out, after what has to be sent again.</summary>
    private void SendRecorded(ushort packetId)
    {
        int index = _window?.Find(packetId) ?? -1;
        if (index < 0 || _window![index].State != OutboundState.AwaitingRecord)
        {
            return;
        }

        ref OutboundEntry entry = ref _window[index];
        if (entry.Pending.IsShared)
        {
            TakeShared(ref entry);
            return;
        }

        entry.State = OutboundState.AwaitingAcknowledgement;
        if (Channel is not { } channel)
        {
            entry.IsSent = false;
            return;
        }

        if (_window.Unsent > 0)
        {
            entry.IsSent = false;
            _window.Unsent++;
            return;
        }

        PendingMessage pending = entry.Pending;
        if (!channel.Fits(pending.Message, pending.QoS, pending.Identifiers))
        {
            Finish(index);
            return;
        }

        Permitted(channel).SendPublish(pending.Message, pending.QoS, pending.Retain, packetId, false, pending.Identifiers, null);
    }

    /// <summary>PUBREC came: PUBREL follows when "received" is stored, or at once where nothing is recorded.</summary>
    private void SendPubRelRecorded(ref OutboundEntry entry, bool isRepeat)
    {
        string name = SessionStateCodec.OutgoingName(entry.PacketId);
        if (_journal is not { } journal || !journal.HasOutgoing(entry.PacketId) || (isRepeat && !journal.IsUnwritten(name)))
        {
            FinishShared(ref entry);
            SendPubRel(entry.PacketId);
        }
        else if (!isRepeat)
        {
            journal.Set(SessionStateCodec.Encode(StateOf(entry, OutgoingStage.Received)));
            Await(new JournalWait(JournalStep.SendPubRel, entry.PacketId, Attachment));
        }
    }

    /// <summary>
    /// Whether PUBREC came and "received" is not stored yet: PUBREL waits, on a later connection too, for after the death of
    /// this node the record would have the message sent again under an identifier that the device took for free.
    /// </summary>
    private bool IsReceiptUnwritten(in OutboundEntry entry) =>
        entry.State == OutboundState.AwaitingCompletion && _journal is { } journal
        && journal.IsUnwritten(SessionStateCodec.OutgoingName(entry.PacketId));

    /// <summary>"Received" is stored: PUBREL goes out; on a connection that came meanwhile in its turn with what is sent again.</summary>
    private void ReceiptWritten(ushort packetId)
    {
        FinishReceivedShared(packetId);
        int index = _window?.Find(packetId) ?? -1;
        if (index < 0 || _window![index].IsSent)
        {
            SendPubRel(packetId);
        }
    }

    private void SendPubRel(ushort packetId)
    {
        if (Channel is { } channel)
        {
            Permitted(channel).SendPubRel(packetId, ReasonCode.Success);
        }
    }

    /// <summary>The device refused an outgoing QoS 2 message: it has seen it, so nobody sends it again.</summary>
    private void RecordRefused(in OutboundEntry entry)
    {
        if (_journal is { } journal && journal.HasOutgoing(entry.PacketId))
        {
            journal.Set(SessionStateCodec.Encode(StateOf(entry, OutgoingStage.Received)));
            _context.Keeper!.Changed(this);
        }
    }

    /// <summary>Marks a window entry done, in its record too.</summary>
    private void Finish(int index)
    {
        FinishShared(ref _window![index]);
        _journal?.OutgoingDone(_window[index].PacketId);
        _window.Finish(index);
    }

    private OutgoingState StateOf(in OutboundEntry entry, OutgoingStage stage)
    {
        bool hasPlace = entry.Pending.IsLogged || entry.Pending.IsShared;
        return new OutgoingState
        {
            PacketId = entry.PacketId,
            Order = entry.Order,
            QoS = entry.Pending.QoS,
            Stage = stage,
            Retain = entry.Pending.Retain,
            Identifiers = stage == OutgoingStage.Sent ? entry.Pending.Identifiers ?? [] : [],
            Group = hasPlace ? entry.Group : -1,
            Position = hasPlace ? entry.Position : LogPosition.None,
            Share = entry.Pending.Share,
            Message = stage == OutgoingStage.Sent && !hasPlace ? Store(entry.Pending.Message) : null,
        };
    }

    private StoredMessage Store(SharedMessage message) => new()
    {
        Topic = message.Topic.ToArray(),
        Properties = message.Properties.ToArray(),
        Payload = message.Payload.ToArray(),
        QoS = message.QoS,
        Retain = message.Retain,
        ExpirySeconds = RemainingSeconds(message),
    };

    private uint? RemainingSeconds(SharedMessage message) =>
        message.ExpiresAtMs == long.MaxValue
            ? null
            : (uint)long.Clamp((message.ExpiresAtMs - _context.Loop.NowMs + 999) / 1000, 0, uint.MaxValue);
}
