using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <summary>
/// Whom to tell when a QoS 1 or 2 message is safe. A value, so that a pending message costs no object.
/// </summary>
/// <param name="Publisher">The session, or null when nobody waits (QoS 0).</param>
/// <param name="Attachment">The connection of the session that sent it, by number: a PUBACK belongs to a connection.</param>
/// <param name="PacketId">The device's packet identifier.</param>
/// <param name="QoS">The QoS it was published with.</param>
public readonly record struct PublishTicket(IPublishOwner? Publisher, int Attachment, ushort PacketId, QoS QoS)
{
    /// <summary>Nobody waits.</summary>
    public static PublishTicket None => default;

    /// <summary>The message is as durable as its group says, or refused. On the session's loop.</summary>
    public void Complete(ReasonCode reason) => Publisher?.CompletePublish(Attachment, PacketId, QoS, reason);
}

/// <summary>Who waits until a QoS 1 or 2 message is safe.</summary>
public interface IPublishOwner
{
    /// <summary>The message is as durable as its group says, or was refused after all. Once, on the owner's loop.</summary>
    void CompletePublish(int attachment, ushort packetId, QoS qos, ReasonCode reason);

    /// <summary>
    /// Whether a message that is refused will be sent again on another connection: 3.x knows no refusal but the end of the
    /// connection, and who is gone hears none. At QoS 2 it is the connection that sent the PUBLISH last that hears it.
    /// </summary>
    /// <param name="attachment">The connection that sent it first.</param>
    /// <param name="packetId">Its packet identifier.</param>
    /// <param name="qos">Its QoS.</param>
    bool Repeats(int attachment, ushort packetId, QoS qos);
}
