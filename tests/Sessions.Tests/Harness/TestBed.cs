using Trunkline.Transports;

namespace Trunkline.Sessions.Tests.Harness;

/// <summary>One loop with its sessions, a router that joins them, and a clock that stands still unless moved.</summary>
public sealed class TestBed
{
    private readonly Setup _setup;

    public TestBed(Setup setup, MqttOptions? options = null)
    {
        _setup = setup;
        Loop = new ManualLoop();
        Context = new SessionContext(Loop, options ?? new MqttOptions());
        Router = new TestRouter(Context);
        Context.Router = Router;
        Context.SessionEnded = session => Ended.Add(session.ClientId);
    }

    public ManualLoop Loop { get; }

    public SessionContext Context { get; }

    public TestRouter Router { get; }

    /// <summary>Client identifiers of sessions that ended, in order.</summary>
    public List<string> Ended { get; } = [];

    public bool IsV5 => _setup.IsV5;

    /// <summary>CONNECT of a clean session.</summary>
    public ConnectSettings Clean(string clientId) => new(_setup.Version, clientId);

    /// <summary>CONNECT of a session that outlives its connection.</summary>
    public ConnectSettings Persistent(string clientId) => new(_setup.Version, clientId) { Clean = false, Expiry = 3600 };

    /// <summary>A connection that has sent nothing yet.</summary>
    public TestClient Accept(long connectDeadlineMs = 10_000) => new(this, _setup, connectDeadlineMs);

    /// <summary>A connection that has sent CONNECT; the answer is still to be read.</summary>
    public TestClient Dial(ConnectSettings settings) => Accept().Connect(settings);

    /// <summary>A connection whose CONNECT was accepted.</summary>
    public TestClient Open(ConnectSettings settings) => Open(settings, out _);

    public TestClient Open(ConnectSettings settings, out Packet connAck)
    {
        TestClient client = Dial(settings);
        connAck = client.Expect(PacketType.ConnAck);
        Assert.Equal(ReasonCode.Success, connAck.Reason);
        return client;
    }

    /// <summary>A clean client of this version.</summary>
    public TestClient Open(string clientId) => Open(Clean(clientId));

    /// <summary>A clean client of the other version family, to be sure that versions talk to each other.</summary>
    public TestClient OpenV5(string clientId) => Open(new ConnectSettings(ProtocolVersion.Mqtt50, clientId));

    public void Advance(double seconds) => Loop.Advance(TimeSpan.FromSeconds(seconds));

    public long Count(SessionCounter counter) => Context.Counters.Read(counter);

    /// <summary>Nothing of any session is left: no message rented, no gauge above zero.</summary>
    public void AssertAtRest()
    {
        Loop.RunUntilIdle();
        Assert.Equal(0, Context.Registry.Count);
        Assert.Equal(0, Count(SessionCounter.Sessions));
        Assert.Equal(0, Count(SessionCounter.ChannelsOpen));
        Assert.Equal(0, Count(SessionCounter.Subscriptions));
        Router.ForgetRetained();
        Assert.Equal(0, Context.Messages.Rented);
    }

    /// <summary>Ends every session, connected or not.</summary>
    public void EndAll()
    {
        foreach (Session session in Context.Registry.All.ToArray())
        {
            Context.Registry.End(session);
        }

        Loop.RunUntilIdle();
    }
}
