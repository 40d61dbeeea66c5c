namespace Trunkline.Sessions.Tests.Keeping;

/// <summary>A keeper whose store is a table of fields per client, written when the test says so.</summary>
internal sealed class TestKeeper : ISessionKeeper
{
    private readonly SessionContext _context;
    private ulong _lastNumber;

    public TestKeeper(SessionContext context)
    {
        _context = context;
        context.Keeper = this;
    }

    /// <summary>Whether changes are written at once.</summary>
    public bool WritesAtOnce { get; set; }

    /// <summary>Whether a session whose connection is gone stays here, as while its writing away takes its time.</summary>
    public bool HoldsDetached { get; set; }

    /// <summary>Whether the end of a connection is stored without anybody hearing of it: the session stays here, too.</summary>
    public bool LosesReplies { get; set; }

    /// <summary>What is stored, by client identifier and name.</summary>
    public Dictionary<string, Dictionary<string, ReadOnlyMemory<byte>>> Stored { get; } = [];

    /// <summary>Writes so far.</summary>
    public int Writes { get; private set; }

    private HashSet<Session> Waiting { get; } = [];

    public MessageId NextMessageId() => new("test", 1, ++_lastNumber);

    public void Changed(Session session)
    {
        Waiting.Add(session);
        if (WritesAtOnce)
        {
            Write();
        }
    }

    public void Withheld(Session session)
    {
    }

    public void Detached(Session session, int? sentAwayAfterSeconds)
    {
        if (HoldsDetached)
        {
            return;
        }

        if (session.ExpirySeconds > 0)
        {
            Apply(session.ClientId, session.ExportDetached());
        }

        if (LosesReplies)
        {
            return;
        }

        Waiting.Remove(session);
        _context.Registry.Forget(session);
    }

    /// <summary>Writes what waits; what is set while it is written waits for the next time.</summary>
    public void Write()
    {
        foreach (Session session in Waiting.ToArray())
        {
            Waiting.Remove(session);
            if (session.TakeChanges() is { } changes)
            {
                Writes++;
                Apply(session.ClientId, changes);
                session.ChangesWritten();
            }
        }
    }

    /// <summary>The store refuses what waits; it is offered again.</summary>
    public void Fail()
    {
        foreach (Session session in Waiting)
        {
            session.TakeChanges();
            session.ChangesFailed();
        }
    }

    /// <summary>The node dies: nothing of its sessions is written any more, and the state as stored comes back at another.</summary>
    public SessionState Read(string clientId)
    {
        SessionStateReading reading = SessionStateCodec.Decode(
            Stored.TryGetValue(clientId, out var fields) ? fields.Select(field => new StoredField(field.Key, field.Value)) : []);
        Assert.Empty(reading.Damage);
        return reading.State;
    }

    /// <summary>Puts a state into the store.</summary>
    public void Store(string clientId, SessionState state) => Apply(clientId, new JournalChanges(SessionStateCodec.Encode(state), []));

    private void Apply(string clientId, JournalChanges changes)
    {
        if (!Stored.TryGetValue(clientId, out Dictionary<string, ReadOnlyMemory<byte>>? fields))
        {
            Stored.Add(clientId, fields = []);
        }

        foreach (StoredField field in changes.Sets)
        {
            fields[field.Name] = field.Value;
        }

        foreach (string name in changes.Deletes)
        {
            fields.Remove(name);
        }
    }
}
