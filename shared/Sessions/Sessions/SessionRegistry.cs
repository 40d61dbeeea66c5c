using System.Text;
using Trunkline.Protocol;
using Trunkline.Topics;

namespace Trunkline.Sessions;

/// <summary>The sessions of one loop by client identifier. Loop thread only.</summary>
public sealed class SessionRegistry
{
    private readonly SessionContext _context;
    private readonly ItemTable<string, Session, ByClientId> _sessions = new();

    internal SessionRegistry(SessionContext context) => _context = context;

    /// <summary>Sessions held, connected or not.</summary>
    public int Count => _sessions.Count;

    private bool IsFull => _sessions.Count >= _context.Options.MaximumSessions;

    /// <summary>Every session now; do not change the registry while reading it.</summary>
    public IEnumerable<Session> All => _sessions.Items;

    /// <summary>The session of a client identifier, or null.</summary>
    public Session? Find(string clientId) => _sessions.Find(clientId);

    /// <summary>Whether a new client identifier may still come.</summary>
    public bool HasRoomFor(string clientId) => !IsFull || _sessions.Find(clientId) is not null;

    /// <summary>The same for the identifier's UTF-8.</summary>
    internal bool HasRoomFor(ReadOnlySpan<byte> clientId) => !IsFull || _sessions.Find(Encoding.UTF8.GetString(clientId)) is not null;

    /// <summary>
    /// Gives a channel its session: takes over from the connection that has it [MQTT-3.1.4-3], drops the old state at
    /// Clean Start [MQTT-3.1.2-4], else resumes it [MQTT-3.1.2-5] [MQTT-3.2.2-2].
    /// </summary>
    /// <returns>The session, and whether it was present.</returns>
    internal (Session Session, bool IsPresent) Attach(Channel channel, ConnectRequest request, uint expirySeconds)
    {
        Session? session = Find(request.ClientId);
        session?.Channel?.TakeOver();
        session = Find(request.ClientId);
        if (session is not null && request.CleanStart)
        {
            End(session);
            session = null;
        }

        bool isPresent = session is not null;
        if (session is null)
        {
            session = new Session(_context, request.ClientId);
            _sessions.Add(session);
            _context.Counters.Add(SessionCounter.Sessions);
        }

        session.Attach(channel, expirySeconds, request.Will);
        return (session, isPresent);
    }

    /// <summary>
    /// Takes in a session that was let go of elsewhere, without a connection; the next <see cref="Channel.Open"/> of its
    /// client identifier goes on with it. There must be none of that identifier here.
    /// </summary>
    /// <param name="clientId">The client identifier.</param>
    /// <param name="state">What is known of it.</param>
    /// <param name="positions">Where its reading begins, per group; at or after those of the state.</param>
    /// <param name="checkpoint">Per group where a checkpoint says that everything up to it is done; empty when none covers the session.</param>
    /// <param name="isAfterDeath">Whether its node let go of it without a last word: packet identifiers then start far from its own.</param>
    public Session Restore(
        string clientId,
        SessionState state,
        IReadOnlyList<GroupPosition> positions,
        IReadOnlyList<LogPosition> checkpoint,
        bool isAfterDeath)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(positions);
        ArgumentNullException.ThrowIfNull(checkpoint);
        var session = new Session(_context, clientId);
        _sessions.Add(session);
        _context.Counters.Add(SessionCounter.Sessions);
        session.Restore(state, positions, checkpoint, isAfterDeath);
        _context.Counters.Add(SessionCounter.SessionsRestored);
        return session;
    }

    /// <summary>
    /// A session that holds nothing and stands nowhere, to publish in the name of a client that is gone: its will.
    /// </summary>
    public Session InNameOf(string clientId) => new(_context, clientId);

    /// <summary>Lets go of a session that is kept elsewhere: nothing of it is ended, no will is published, nobody is told.</summary>
    public void Forget(Session session)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (!session.IsEnded)
        {
            Remove(session);
        }
    }

    /// <summary>
    /// The process ends: every connection is told 0x8B and closed, and every will is published, also one that waits for
    /// its delay, for its session ends with this process.
    /// </summary>
    public void ShutDown()
    {
        foreach (Session session in _sessions.Items.ToArray())
        {
            session.Channel?.Disconnect(CloseCause.ServerShutdown, ReasonCode.ServerShuttingDown, null);
            session.HurryWill();
        }
    }

    /// <summary>Ends a session for good; a connection it still has is told so and closed.</summary>
    public void End(Session session)
    {
        session.Channel?.Disconnect(CloseCause.Administrative, ReasonCode.AdministrativeAction, "The session was ended.");
        if (session.IsEnded)
        {
            return;
        }

        Remove(session);
        _context.SessionEnded?.Invoke(session);
    }

    private void Remove(Session session)
    {
        session.End();
        if (ReferenceEquals(_sessions.Find(session.ClientId), session))
        {
            _sessions.Remove(session.ClientId);
        }

        _context.Counters.Add(SessionCounter.Sessions, -1);
    }

    /// <summary>A stable 64-bit hash (FNV-1a) of a client identifier, never 0: the same on every node and in every run.</summary>
    public static ulong OriginOf(string clientId)
    {
        Span<byte> utf8 = clientId.Length <= 256 ? stackalloc byte[1024] : new byte[Encoding.UTF8.GetMaxByteCount(clientId.Length)];
        return OriginOf(utf8[..Encoding.UTF8.GetBytes(clientId, utf8)]);
    }

    /// <summary>The same of the identifier's UTF-8.</summary>
    public static ulong OriginOf(ReadOnlySpan<byte> clientId)
    {
        ulong hash = 14_695_981_039_346_656_037;
        foreach (byte value in clientId)
        {
            hash = (hash ^ value) * 1_099_511_628_211;
        }

        return hash == 0 ? 1 : hash;
    }

    /// <summary>Devices choose their identifiers: the runtime's own hash of strings is seeded, so they cannot aim at one bucket.</summary>
    private readonly struct ByClientId : IItemRules<string, Session>
    {
        public static uint HashOf(in string key) => (uint)key.GetHashCode(StringComparison.Ordinal);

        public static string KeyOf(Session item) => item.ClientId;

        public static bool AreEqual(in string left, in string right) => string.Equals(left, right, StringComparison.Ordinal);
    }
}
