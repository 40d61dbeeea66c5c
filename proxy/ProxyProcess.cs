using Microsoft.Extensions.Logging;
using Trunkline.Broker;
using Trunkline.Hosting;
using Trunkline.Hosting.Management;

namespace Trunkline.Proxy;

/// <summary>
/// The process around the nodes: management port, signals, and a new node when the old one was declared dead.
/// </summary>
internal sealed partial class ProxyProcess(ProxyOptions options, ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger("Trunkline.Proxy");
    private volatile ProxyNode? _node;

    /// <summary>Runs until SIGTERM or SIGINT (0), or until the configuration turns out not to fit the tier (1).</summary>
    public async Task<int> RunAsync()
    {
        using var signals = new StopSignals();
        OpenDoors.Warn(_logger, options.Listeners, options.Management.EndPoint!);
        try
        {
            await using ManagementServer management = await ManagementServer.StartAsync(
                options.Management,
                loggers,
                () => _node?.Health() ?? new HealthReport(false, false, ["The node is starting or stopping."]),
                SessionEndpoints.AddServices,
                application => SessionEndpoints.Map(application, () => _node));
            return await RunNodesAsync(signals.Token);
        }
        catch (Exception exception) when (exception is ListenerStartException or StoreException or IOException)
        {
            // A port or a folder that is taken, or no descriptor for a loop.
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }

    private async Task<int> RunNodesAsync(CancellationToken stop)
    {
        while (true)
        {
            NodeEnd end = await RunNodeAsync(stop);
            switch (end.Kind)
            {
                case NodeEndKind.Stopped:
                    LogStopped(_logger);
                    return 0;
                case NodeEndKind.Refused:
                    LogRefused(_logger, end.Sentence);
                    await Console.Error.WriteLineAsync(end.Sentence);
                    return 1;
                default:
                    LogDeclaredDead(_logger, end.Sentence);
                    break;
            }
        }
    }

    /// <summary>One node from its start to its end; it is gone, ports and metrics with it, when this returns.</summary>
    private async Task<NodeEnd> RunNodeAsync(CancellationToken stop)
    {
        await using var node = new ProxyNode(options, loggers, TimeProvider.System);
        _node = node;
        try
        {
            NodeEnd end = await node.StartAsync(stop) ?? await WaitAsync(node, stop);
            LogStopping(_logger, end.Sentence);
            return end;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new NodeEnd(NodeEndKind.Stopped, "Stopped while starting.");
        }
        finally
        {
            _node = null;
        }
    }

    private async Task<NodeEnd> WaitAsync(ProxyNode node, CancellationToken stop)
    {
        LogReady(_logger, options.Node.Name, string.Join(", ", node.Listeners.Select(listener => $"{listener.Options.Name} {listener.Address}")));
        if (Keeps(options) is { Length: > 0 } keeps)
        {
            LogKeeps(_logger, keeps);
        }

        try
        {
            return await node.Ended.WaitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            return new NodeEnd(NodeEndKind.Stopped, "Asked to stop.");
        }
    }

    [LoggerMessage(1000, LogLevel.Information, "Node {Name} serves: {Listeners}.")]
    private static partial void LogReady(ILogger logger, string name, string listeners);

    [LoggerMessage(1001, LogLevel.Information, "Stopping: no new connections, devices are told, links finish. {Sentence}")]
    private static partial void LogStopping(ILogger logger, string sentence);

    [LoggerMessage(1004, LogLevel.Information, "Stopped.")]
    private static partial void LogStopped(ILogger logger);

    [LoggerMessage(1002, LogLevel.Error, "This node must not run: {Sentence}")]
    private static partial void LogRefused(ILogger logger, string sentence);

    [LoggerMessage(1003, LogLevel.Warning, "This node was declared dead and starts again as a new one: {Sentence}")]
    private static partial void LogDeclaredDead(ILogger logger, string sentence);

    /// <summary>What of this process's own is kept when it ends, and what is forgotten; empty when it has nothing of its own.</summary>
    internal static string Keeps(ProxyOptions options)
    {
        var sentences = new List<string>();
        if (options.Groups.Any(group => group.Kind == Links.GroupKind.Embedded))
        {
            sentences.Add(options.Broker.UsesFiles()
                ? $"The embedded groups keep their logs and retained messages in {options.Broker.DataDirectory}."
                : "The embedded groups are in memory: retained messages and messages not yet delivered are forgotten when this process ends.");
        }

        if (options.Directory.Endpoints.Count == 0)
        {
            sentences.Add(options.Directory.DataDirectory.Length > 0
                ? $"Sessions are kept in {options.Directory.DataDirectory}."
                : "Sessions are in memory and forgotten when this process ends.");
        }

        return string.Join(' ', sentences);
    }

    [LoggerMessage(1005, LogLevel.Information, "{Keeps}")]
    private static partial void LogKeeps(ILogger logger, string keeps);
}
