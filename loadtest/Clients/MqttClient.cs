using System.Buffers;
using System.Text;
using Trunkline.Hosting;
using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Loadtest;

/// <summary>
/// One MQTT client on a loop: connects, subscribes, keeps alive, hands publishing to <see cref="Publisher"/> and what
/// comes to <see cref="Receiver"/>. It is its own timer, so an idle one is a single object over its transport.
/// Loop thread only.
/// </summary>
/// <remarks>
/// <code>
/// Idle -> Dialling -> Connecting -> [Subscribing] -> Ready -> Closing -> Idle       any of them -> Idle on loss
/// </code>
/// </remarks>
internal sealed partial class MqttClient : LoopTimer, ITransportHandler
{
    // A third of the keep alive is left for the way and for the wheel's precision.
    private const double KeepAliveShare = 0.66;

    private readonly ClientSettings _settings;
    private readonly LoadLoop _loop;
    private readonly Connectors _connectors;
    private readonly IClientOwner _owner;
    private Transport? _transport;
    private long _dueNs;
    private long _subscribeNs;
    private int _attempt;

    /// <summary>Makes a client that does nothing yet.</summary>
    public MqttClient(ClientSpec spec, ClientSettings settings, LoadLoop loop, Connectors connectors, IClientOwner owner)
    {
        Spec = spec;
        _settings = settings;
        _loop = loop;
        _connectors = connectors;
        _owner = owner;
    }

    /// <summary>What it is; between two connections churn gives it another name, and a failover another target.</summary>
    public ClientSpec Spec { get; set; }

    /// <summary>Where it is.</summary>
    public ClientState State { get; private set; }

    /// <summary>Publishes; null when it does not.</summary>
    public Publisher? Publisher { get; init; }

    /// <summary>Checks what comes; null when it does not subscribe.</summary>
    public Receiver? Receiver { get; init; }

    /// <summary>When the present connection was due.</summary>
    public long DueNs => _dueNs;

    /// <summary>Where packets are written; only in a state with a transport.</summary>
    public IBufferWriter<byte> Output => _transport!.Output;

    /// <summary>Whether the transport takes no more for now.</summary>
    public bool IsCongested => _transport!.UnsentBytes >= _transport.Settings.HighWaterBytes;

    private LoopFigures Figures => _loop.Figures;

    /// <summary>Begins to connect; latency counts from <paramref name="dueNs"/>.</summary>
    public void Connect(long dueNs)
    {
        if (State == ClientState.Idle)
        {
            _dueNs = dueNs;
            State = ClientState.Dialling;
            _loop.Loop.Timers.Schedule(this, _settings.ConnectTimeoutMs);
            _connectors.For(Spec).Connect(_loop.Loop, new Attempt(this, ++_attempt));
        }
    }

    /// <summary>Ends the connection: DISCONNECT and an orderly end, or a reset.</summary>
    public void Disconnect(bool abort)
    {
        if (_transport is null || State is ClientState.Idle or ClientState.Closing)
        {
            return;
        }

        if (State == ClientState.Ready)
        {
            Figures.Counts.Connected--;
            Publisher?.OnConnectionLost();
        }

        State = ClientState.Closing;
        if (!abort)
        {
            Output.Write(FixedFrames.Disconnect3);
        }

        _transport.Close(abort ? TransportClose.Abort : TransportClose.Graceful);
    }

    /// <inheritdoc/>
    public void OnWritable() => Publisher?.OnWritable();

    /// <inheritdoc/>
    public void OnClosed(TransportCloseReason reason)
    {
        _transport = null;
        if (State is ClientState.Connecting or ClientState.Subscribing)
        {
            Fail($"connection ended before it stood: {reason}");
            return;
        }

        bool wanted = State == ClientState.Closing;
        if (State == ClientState.Ready)
        {
            Figures.Counts.Connected--;
            Figures.Counts.Disconnects++;
            Figures.AddReason($"connection lost: {reason}");
            Publisher?.OnConnectionLost();
            Receiver?.OnConnectionLost(_settings.Clock.NowNs);
        }

        State = ClientState.Idle;
        _loop.Loop.Timers.Cancel(this);
        _owner.OnEnded(this, wanted, reason.ToString());
    }

    /// <inheritdoc/>
    protected override void OnDue()
    {
        if (State == ClientState.Ready)
        {
            Output.Write(FixedFrames.PingReq);
            ScheduleKeepAlive();
        }
        else if (State is not ClientState.Idle and not ClientState.Closing)
        {
            Fail($"no {(State == ClientState.Subscribing ? "SUBACK" : "CONNACK")} within {_settings.Options.ConnectTimeout.TotalSeconds:0.#} s");
        }
    }

    /// <summary>Says the PROXY header.</summary>
    private void WritePreamble(IBufferWriter<byte> output)
    {
        if (_settings.Options.ProxyHeaderVersion > 0)
        {
            ProxyHeaderWriter.Write(output, _settings.Options.ProxyHeaderVersion, Spec.Index, _settings.Options.AllTargets[Spec.Target].Port);
        }
    }

    private void OnConnected(Transport transport)
    {
        _transport = transport;
        transport.Handler = this;
        State = ClientState.Connecting;
        LoadOptions options = _settings.Options;
        PacketWriter.WriteConnect(transport.Output, new ConnectPacket
        {
            Version = options.Version,
            CleanStart = options.CleanStart,
            KeepAliveSeconds = options.KeepAliveSeconds,
            ClientId = Encoding.UTF8.GetBytes(Spec.ClientId),
            UserName = Spec.UserName is null ? default : Encoding.UTF8.GetBytes(Spec.UserName),
            Password = _settings.Password,
            SessionExpiryInterval = options.Version == ProtocolVersion.Mqtt50 ? options.SessionExpirySeconds : 0,
        });
    }

    private void Fail(string reason)
    {
        Figures.Counts.ConnectFailures++;
        Figures.AddReason(reason);
        State = ClientState.Idle;
        _attempt++;
        _loop.Loop.Timers.Cancel(this);
        if (_transport is { } transport)
        {
            _transport = null;
            transport.Handler = new ForgottenConnection();
            transport.Close(TransportClose.Abort);
        }

        _owner.OnFailed(this, reason);
    }

    private void BecomeReady(bool isSessionPresent)
    {
        State = ClientState.Ready;
        Figures.Counts.Connected++;
        ScheduleKeepAlive();
        Publisher?.OnConnected(this, isSessionPresent);
        _owner.OnReady(this);
    }

    private void ScheduleKeepAlive()
    {
        if (_settings.KeepAliveMs > 0)
        {
            _loop.Loop.Timers.Schedule(this, (long)(_settings.KeepAliveMs * KeepAliveShare));
        }
        else
        {
            _loop.Loop.Timers.Cancel(this);
        }
    }

    /// <summary>One attempt: its answer counts only while the client still waits for this very one.</summary>
    private sealed class Attempt(MqttClient client, int number) : IConnectAttempt, IConnectPreamble
    {
        public void WritePreamble(IBufferWriter<byte> output) => client.WritePreamble(output);

        public void OnConnected(Transport transport)
        {
            if (client._attempt == number && client.State == ClientState.Dialling)
            {
                client.OnConnected(transport);
            }
            else
            {
                transport.Handler = new ForgottenConnection();
                transport.Close(TransportClose.Abort);
            }
        }

        public void OnConnectFailed(string reason)
        {
            if (client._attempt == number && client.State == ClientState.Dialling)
            {
                client.Fail(reason);
            }
        }
    }
}
