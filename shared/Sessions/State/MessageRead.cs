namespace Trunkline.Sessions;

/// <summary>
/// Reads messages in flight from their groups' logs, by position, so that they can be sent again. The router gives each
/// message it finds, then says that it is done; one that is gone is simply not given. Loop thread only.
/// </summary>
public sealed class MessageRead
{
    internal MessageRead(Session session, IReadOnlyList<GroupPosition> positions)
    {
        Session = session;
        Positions = positions;
    }

    /// <summary>The session that reads.</summary>
    public Session Session { get; }

    /// <summary>The messages wanted.</summary>
    public IReadOnlyList<GroupPosition> Positions { get; }

    /// <summary>Whether nobody waits for it any more.</summary>
    public bool IsOver => Session.IsEnded;

    /// <summary>One of them; its group and position say which. The caller keeps its reference.</summary>
    public void Found(SharedMessage message) => Session.MessageRead(message);

    /// <summary>All that can be found was given. Once.</summary>
    public void Complete() => Session.MessagesRead();
}
