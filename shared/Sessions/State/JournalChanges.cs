namespace Trunkline.Sessions;

/// <summary>Changes of one session's stored fields, written in one step.</summary>
/// <param name="Sets">Fields that are set.</param>
/// <param name="Deletes">Names of fields that go.</param>
public sealed record JournalChanges(IReadOnlyList<StoredField> Sets, IReadOnlyList<string> Deletes);

/// <summary>What a session does when the changes it wrote ahead are stored.</summary>
internal enum JournalStep : byte
{
    /// <summary>Answer SUBSCRIBE or UNSUBSCRIBE.</summary>
    AnswerOperation,

    /// <summary>Send an outgoing QoS 2 PUBLISH.</summary>
    SendPublish,

    /// <summary>Send PUBREL.</summary>
    SendPubRel,

    /// <summary>Forward an incoming QoS 2 message.</summary>
    Forward,

    /// <summary>Refuse an incoming QoS 2 message by PUBREC.</summary>
    RefuseEntry,

    /// <summary>Send PUBCOMP.</summary>
    SendPubComp,
}

/// <summary>One step that waits for the store.</summary>
/// <param name="Step">What to do.</param>
/// <param name="PacketId">For which packet.</param>
/// <param name="Attachment">Which connection of the session asked.</param>
/// <param name="Reason">With which reason code.</param>
/// <param name="Subject">The operation or the message.</param>
internal readonly record struct JournalWait(
    JournalStep Step, ushort PacketId, int Attachment, Protocol.ReasonCode Reason = default, object? Subject = null);
