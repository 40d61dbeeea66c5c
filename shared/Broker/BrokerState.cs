using Microsoft.Extensions.Logging;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>What the parts of one group share. Loop thread only.</summary>
internal sealed class BrokerState
{
    public BrokerState(BrokerSetup setup, IGroupLog log, ILogger logger)
    {
        Name = setup.Name;
        Options = setup.Options;
        Context = setup.Context;
        Log = log;
        Logger = logger;
        Counters = setup.Store?.Counters ?? new BrokerCounters();
        Retained = setup.Store?.Retained ?? new RetainedMessages(setup.Options, Counters);
        Dispatched = log.Committed;
        Shares = new ShareTable(this);
    }

    public string Name { get; }

    public BrokerOptions Options { get; }

    public SessionContext Context { get; }

    public IGroupLog Log { get; }

    public ILogger Logger { get; }

    public BrokerCounters Counters { get; }

    public RetainedMessages Retained { get; }

    public ShareTable Shares { get; }

    /// <summary>Filters of ordinary clients, shared ones left out.</summary>
    public FilterIndex<SessionSubscription> ClientFilters { get; } = new();

    /// <summary>
    /// Filters of all receive links. One index for all: a lagging link picks its own matches out of it, so that 200,000
    /// filters of three nodes are stored once, and a topic matches few filters of few nodes anyway.
    /// </summary>
    public FilterIndex<LinkFilter> LinkFilters { get; } = new();

    /// <summary>Up to here messages were given to everyone who was to get them; follows the log's Committed.</summary>
    public LogPosition Dispatched { get; set; }

    public long NowMs => Context.Loop.NowMs;
}
