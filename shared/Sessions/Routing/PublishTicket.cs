using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <summary>
/// Whom to tell when a QoS 1 or 2 message is safe. A value, so that a pending message costs no object.
/// </summary>
/// <param name="Publisher">The session, or null when nobody waits (QoS 0, wills).</param>
/// <param name="Attachment">The connection of the session that sent it, by number: a PUBACK belongs to a connection.</param>
/// <param name="PacketId">The device's packet identifier.</param>
/// <param name="QoS">The QoS it was published with.</param>
public readonly record struct PublishTicket(Session? Publisher, int Attachment, ushort PacketId, QoS QoS)
{
    /// <summary>Nobody waits.</summary>
    public static PublishTicket None => default;

    /// <summary>The message is as durable as its group says, or refused. On the session's loop.</summary>
    public void Complete(ReasonCode reason) => Publisher?.CompletePublish(Attachment, PacketId, QoS, reason);
}
