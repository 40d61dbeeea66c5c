namespace Trunkline.Sessions;

/// <summary>
/// Keeps sessions beyond their connection and their node: writes what they write ahead, and their whole state when their
/// connection is gone. One instance a loop; every call comes from that loop. A context without one keeps its sessions in
/// memory itself.
/// </summary>
public interface ISessionKeeper
{
    /// <summary>
    /// The session has changes to be written (<see cref="Session.TakeChanges"/>), at the latest when this turn ends. Called
    /// for each change; <see cref="Session.ChangesWritten"/> or <see cref="Session.ChangesFailed"/> answers.
    /// </summary>
    void Changed(Session session);

    /// <summary>
    /// The connection is gone. The keeper writes the session with its will, then lets go of it
    /// (<see cref="SessionRegistry.Forget"/>), or ends it when it does not outlive its connection.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="sentAwayAfterSeconds">
    /// Set when the connection ended because this node stops, and by nothing that the device did: the seconds of silence
    /// after which it would have ended by itself [MQTT-3.1.2-22], 0 for never.
    /// </param>
    void Detached(Session session, int? sentAwayAfterSeconds);

    /// <summary>
    /// What the session sent by a permission of the store is withheld in its connection, for the permission has grown old. It
    /// leaves by <see cref="IChannelHost.SendWithheld"/> when the store has confirmed that the session is still held here. May
    /// be called more than once.
    /// </summary>
    void Withheld(Session session);

    /// <summary>A new identity for a message that enters here.</summary>
    MessageId NextMessageId();
}
