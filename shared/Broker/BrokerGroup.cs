using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// The broker of one group: orders, logs and routes its messages and keeps its retained ones, for links and ordinary
/// clients alike. Everything on one loop, so nothing is locked; more groups use more cores. Only
/// <see cref="Counters"/> may be read from other threads.
/// </summary>
/// <remarks>
/// <code>
///   channel ─► session ─► Publish ─► MessageDispatcher ─► IGroupLog
///                                        │ committed
///                                        ├─► ClientMatches ─► FanOut ─► sessions of ordinary clients
///                                        └─► LinkMatches ─► ReceiveLink at the tail (one behind it reads the log)
/// </code>
/// </remarks>
public sealed class BrokerGroup : IMessageRouter, IConnectGate
{
    private readonly GroupStore? _store;
    private readonly BrokerState _state;
    private readonly MessageDispatcher _dispatcher;
    private readonly LinkTable _links;
    private readonly SubscriptionTable _subscriptions;
    private readonly RequestHandler _requests;
    private readonly ConnectGate _gate;
    private readonly SystemTopics _system;
    private readonly Housekeeping _housekeeping;

    /// <summary>Composes the group and becomes the router of its context. On the group's loop or before it starts.</summary>
    public BrokerGroup(BrokerSetup setup)
    {
        Incarnation = setup.Incarnation ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        _store = setup.Store;
        IGroupLog log = setup.Log ?? (IGroupLog?)setup.Store?.Log ?? new MemoryGroupLog(setup.Context.Loop, setup.Options);
        _state = new BrokerState(setup, log, setup.Logger ?? NullLogger.Instance);
        _dispatcher = new MessageDispatcher(_state);
        _links = new LinkTable(_state);
        _subscriptions = new SubscriptionTable(_state, _links, new RetainedReplays(setup.Context.Loop, _state.Retained));
        _requests = new RequestHandler(_state, _links, Statistics);
        _dispatcher.Readable = () =>
        {
            _links.PumpAll();
            _state.Shares.WakeAll();
            _requests.OnReadable();
        };
        _gate = new ConnectGate(_state, _links, Incarnation);
        _system = new SystemTopics(_state, _dispatcher, setup.Version, Statistics);
        _housekeeping = new Housekeeping(_state, _links);
        setup.Context.Router = this;
        setup.Context.SessionWritable = OnWritable;
    }

    /// <summary>The group's name.</summary>
    public string Name => _state.Name;

    /// <summary>The limits.</summary>
    public BrokerOptions Options => _state.Options;

    /// <summary>The session context of this group.</summary>
    public SessionContext Context => _state.Context;

    /// <summary>The group's counters; readable from any thread.</summary>
    public BrokerCounters Counters => _state.Counters;

    /// <summary>The group's log.</summary>
    public IGroupLog Log => _state.Log;

    /// <summary>This run of the broker.</summary>
    public string Incarnation { get; }

    /// <summary>Starts the timers. On the group's loop.</summary>
    public void Start()
    {
        BrokerLog.GroupStarted(_state.Logger, Name, Log.Term, Incarnation);
        _housekeeping.Start();
        _system.Start();
    }

    /// <summary>
    /// Stops the timers and closes the store, which may wait for the disk. Connections are the host's to close, before
    /// this. On the group's loop.
    /// </summary>
    public void Stop()
    {
        _housekeeping.Stop();
        _system.Stop();
        _state.Shares.Stop();
        _store?.Close();
    }

    /// <summary>How the group stands now. On the group's loop.</summary>
    public BrokerStatistics Statistics() => new()
    {
        Name = Name,
        Incarnation = Incarnation,
        Tail = Log.Tail,
        First = Log.Start,
        Messages = Log.Messages,
        Bytes = Log.Bytes,
        RetainedMessages = _state.Retained.Count,
        RetainedBytes = _state.Retained.Bytes,
        Subscriptions = (int)Context.Counters.Read(SessionCounter.Subscriptions),
        Shares = _state.Shares.Count,
        PublishLinks = _links.PublishLinks,
        ReceiveLinks = _links.ReceiveLinks,
        Clients = (int)Context.Counters.Read(SessionCounter.ChannelsOpen) - _links.PublishLinks - _links.ReceiveLinks,
    };

    /// <inheritdoc/>
    public void Ask(ConnectRequest request, Channel channel) => _gate.Ask(request, channel);

    /// <inheritdoc/>
    public void Closed(Channel channel, in ChannelClose close)
    {
        // A link's end is logged where its session is forgotten; ordinary clients are the host's to log.
    }

    /// <inheritdoc/>
    public PublishOutcome Publish(in PublishRequest request, PublishTicket ticket)
    {
        if (request.Topic[0] == (byte)'$')
        {
            if (request.Topic.StartsWith(BrokerTopics.Requests))
            {
                return _requests.Answer(request, ticket);
            }

            if (request.Topic.StartsWith(BrokerTopics.System))
            {
                Counters.Add(BrokerCounter.PublishesNotAuthorized);
                return new PublishOutcome(ReasonCode.NotAuthorized, false);
            }
        }

        return _dispatcher.Publish(request, request.Publisher.RouterState as PublishLink, ticket);
    }

    /// <inheritdoc/>
    public void Subscribe(SubscribeOperation operation) => _subscriptions.Subscribe(operation);

    /// <inheritdoc/>
    public void Unsubscribe(SubscribeOperation operation) => _subscriptions.Unsubscribe(operation);

    /// <inheritdoc/>
    public void Forget(Session session)
    {
        switch (session.RouterState)
        {
            case ReceiveLink link:
                _links.CloseReceive(link);
                break;
            case PublishLink link:
                _subscriptions.Forget(session);
                _links.ClosePublish(link);
                break;
            default:
                _subscriptions.Forget(session);
                break;
        }

        session.RouterState = null;
    }

    /// <inheritdoc/>
    public void AttachmentChanged(Session session)
    {
        ArgumentNullException.ThrowIfNull(session);
        WakeShares(session);
    }

    /// <inheritdoc/>
    public void FinishShared(Session session, in SharedPlace place) => _state.Shares.Find(place.Share)?.Done(place.Position);

    /// <inheritdoc/>
    public void ReturnShared(Session session, in SharedPlace place, SharedMessage message)
    {
        if (_state.Shares.Find(place.Share) is { } share)
        {
            share.Return(place.Position, share.Members.Find(member => ReferenceEquals(member.Subscription.Session, session)));
        }
    }

    /// <inheritdoc/>
    public void TakeShared(Session session, in SharedPlace place, ushort packetId)
    {
        ArgumentNullException.ThrowIfNull(session);
        session.SharedTaken(packetId, place, _state.Shares.Find(place.Share)?.Take(place.Position, session.Origin) ?? false);
    }

    private void OnWritable(Session session)
    {
        if (session.RouterState is ReceiveLink link)
        {
            link.Pump();
            foreach (Share share in link.Node.Shares.Keys)
            {
                share.Wake();
            }
        }
        else if (_state.Shares.Count > 0)
        {
            WakeShares(session);
        }

        session.Channel?.ResumeReading();
    }

    private static void WakeShares(Session session)
    {
        foreach (SessionSubscription subscription in session.Subscriptions)
        {
            (subscription.RouterState as ShareMember)?.Share.Wake();
        }
    }

    /// <summary>What has to be done a few times a second: tails, nodes that are gone, expiry, gauges.</summary>
    private sealed class Housekeeping(BrokerState state, LinkTable links) : LoopTimer
    {
        private const int SweepSteps = 1_000;

        public void Start() => state.Context.Loop.Timers.Schedule(this, state.Options.TailIntervalMs);

        public void Stop() => state.Context.Loop.Timers.Cancel(this);

        protected override void OnDue()
        {
            links.OnTick();
            state.Log.OnTick();
            state.Shares.OnTick();
            state.Retained.Sweep(state.NowMs, SweepSteps);
            state.Counters.Set(BrokerCounter.LogMessages, state.Log.Messages);
            state.Counters.Set(BrokerCounter.LogBytes, state.Log.Bytes);
            state.Counters.Set(BrokerCounter.LogIndexBytes, state.Log.IndexBytes);
            state.Counters.Set(BrokerCounter.LogDropped, state.Log.Dropped);
            state.Counters.Set(BrokerCounter.LogDroppedOverShare, state.Log.DroppedOverShare);
            state.Counters.Set(BrokerCounter.LogTenants, state.Log.Tenants);
            state.Counters.Set(BrokerCounter.LogTenantsTogether, state.Log.TenantsTogether);
            state.Counters.Set(BrokerCounter.LogUncommittedBytes, state.Log.UncommittedBytes);
            state.Counters.Set(BrokerCounter.LogFailing, state.Log.IsFailing ? 1 : 0);
            state.Counters.Set(BrokerCounter.MessageIdsForgotten, state.Log.IdsForgotten);
            state.Counters.Set(BrokerCounter.ProducersForgotten, state.Log.ProducersForgotten);
            Start();
        }
    }
}
