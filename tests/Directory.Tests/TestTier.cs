using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Transports;

namespace Trunkline.Directory.Tests;

/// <summary>The servers all shared suites use; each test takes a prefix of its own.</summary>
public sealed class RedisServers : IAsyncLifetime
{
    private int _tiers;

    public RedisServer Single { get; private set; } = null!;

    public RedisServer Cluster { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Single = await RedisServer.StartAsync();
        Cluster = await RedisServer.StartClusterAsync();
    }

    public async Task DisposeAsync()
    {
        await Single.DisposeAsync();
        await Cluster.DisposeAsync();
    }

    /// <summary>Takes everything away, as a Redis that came back empty.</summary>
    public async Task EmptyAsync(string kind, TestTier tier)
    {
        if (kind == "memory")
        {
            tier.Memory.Empty();
        }
        else
        {
            await (kind == "redis" ? Single : Cluster).CommandAsync("FLUSHALL");
        }
    }

    public TestTier Tier(string kind) => kind switch
    {
        "memory" => new TestTier(null, "t"),
        "redis" => new TestTier(Single, "t" + Interlocked.Increment(ref _tiers)),
        _ => new TestTier(Cluster, "t" + Interlocked.Increment(ref _tiers)),
    };
}

[CollectionDefinition("redis")]
public sealed class RedisCollection : ICollectionFixture<RedisServers>;

/// <summary>A tier under test: makes nodes' directories on one memory or one Redis.</summary>
public sealed class TestTier(RedisServer? server, string prefix) : IAsyncDisposable
{
    private readonly List<NodeDirectory> _made = [];
    private readonly Meter _meter = new("test");
    private readonly Loop? _loop = server is null ? null : Loops.Start();

    public static TierShape Shape { get; } = new(0, ["g0", "g1"]);

    /// <summary>The loop that carries the connections to Redis.</summary>
    public Loop Loop => _loop!;

    /// <summary>Changes what nodes get of their process.</summary>
    public Func<DirectoryEnvironment, DirectoryEnvironment> Wrap { get; set; } = static environment => environment;

    public DirectoryMemory Memory { get; } = new(TimeProvider.System);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILogger Logger { get; init; } = NullLogger.Instance;

    public DirectoryOptions Options { get; init; } = new()
    {
        Endpoints = server is null ? [] : [server.Endpoint],
        Prefix = prefix,

        // Thousands of calls at once are within it, on a busy machine too.
        OperationDeadlineMs = 3_000,
        ConnectDeadlineMs = 1_000,
        LeaseMs = 1_000,
        LeaseRaiseIntervalMs = 100,
        RecoveringGraceMs = 300,
        TakeOverDeadlineMs = 1_000,
        ReconnectMinMs = 20,
        ReconnectMaxMs = 200,
        SubscriptionCheckIntervalMs = 500,
    };

    public NodeDirectory Make(string name = "node", DirectoryOptions? options = null)
    {
        int seed = Random.Shared.Next();
        var self = new NodeInfo(NodeId.NewId(new Random(seed)), name, "127.0.0.1:1883", "127.0.0.1:8080", "0.1.0");
        DirectoryEnvironment environment = Wrap(Loops.Environment(new(Time, Logger, _meter, seed), _loop));
        NodeDirectory made = server is null
            ? new MemoryDirectory(Memory, self, options ?? Options, environment)
            : new RedisDirectory(self, options ?? Options, environment);
        lock (_made)
        {
            _made.Add(made);
        }

        return made;
    }

    public async Task<(NodeDirectory Directory, RecordingEvents Events)> JoinAsync(string name = "node", DirectoryOptions? options = null)
    {
        NodeDirectory made = Make(name, options);
        var events = new RecordingEvents();

        // Unavailable may be tried again; on a loaded machine the first connection can miss its short deadline.
        DirectoryResult joined;
        int tries = 0;
        do
        {
            joined = await made.JoinAsync(Shape, events);
        }
        while (joined.Status == DirectoryStatus.Unavailable && ++tries < 10);
        Assert.Equal(new DirectoryResult(DirectoryStatus.Ok), joined);
        return (made, events);
    }

    /// <summary>Lets the time of a due entry (w:, x:) come that waits; the clock is the directory's own and cannot be moved.</summary>
    public async Task BringForwardAsync(string clientId, char kind)
    {
        string member = $"{kind}:{clientId}";
        if (server is null)
        {
            lock (Memory.Gate)
            {
                if (Memory.Contents.Records.IsDue(member, long.MaxValue))
                {
                    Memory.Contents.Records.SetDue(clientId, member, 1);
                }
            }

            return;
        }

        string key = new RedisKeys(prefix).Due(Bucket.Of(clientId))[2]!;
        Assert.StartsWith(":", await server.CommandAsync($"ZADD {key} XX 1 {member}"), StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (NodeDirectory directory in _made)
        {
            await directory.DisposeAsync();
        }

        _loop?.Dispose();
        _meter.Dispose();
    }
}
