using System.Net.Sockets;
using Microsoft.Extensions.Logging;
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
        WarnOfOpenDoors();
        ManagementServer management;
        try
        {
            management = await ManagementServer.StartAsync(
                options.Management.EndPoint!,
                loggers,
                () => _node?.NotReady() ?? ["The node is starting."],
                SessionEndpoints.AddServices,
                application => SessionEndpoints.Map(application, () => _node));
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            await Console.Error.WriteLineAsync(
                $"The management port {options.Management.EndPoint} cannot be opened: {exception.Message} "
                + $"{PortHolder.Describe(options.Management.EndPoint!.Port)} Stop it, or choose another with --management-port (Management:Address).");
            return 1;
        }

        await using (management)
        {
            return await RunNodesAsync(signals.Token);
        }
    }

    private async Task<int> RunNodesAsync(CancellationToken stop)
    {
        while (true)
        {
            await using var node = new ProxyNode(options, loggers, TimeProvider.System);
            _node = node;
            NodeEnd end;
            try
            {
                end = await node.StartAsync(stop) ?? await WaitAsync(node, stop);
            }
            catch (ListenerStartException exception)
            {
                await Console.Error.WriteLineAsync(exception.Message);
                return 1;
            }
            catch (OperationCanceledException)
            {
                end = new NodeEnd(NodeEndKind.Stopped, "Stopped while starting.");
            }

            switch (end.Kind)
            {
                case NodeEndKind.Stopped:
                    LogStopping(_logger);
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

    private async Task<NodeEnd> WaitAsync(ProxyNode node, CancellationToken stop)
    {
        LogReady(_logger, options.Node.Name, string.Join(", ", node.Listeners.Select(listener => $"{listener.Options.Name} {listener.Address}")));
        if (options.Groups.Any(group => group.Kind == Links.GroupKind.Embedded))
        {
            LogMemoryOnly(_logger);
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

    private void WarnOfOpenDoors()
    {
        foreach (ListenerOptions listener in options.Listeners)
        {
            if (!System.Net.IPAddress.IsLoopback(System.Net.IPEndPoint.Parse(listener.Address).Address))
            {
                LogOpenDoor(_logger, listener.Name, listener.Address);
            }
        }

        if (!System.Net.IPAddress.IsLoopback(options.Management.EndPoint!.Address))
        {
            LogOpenDoor(_logger, "management", options.Management.EndPoint.ToString());
        }
    }

    [LoggerMessage(1000, LogLevel.Information, "Node {Name} serves: {Listeners}.")]
    private static partial void LogReady(ILogger logger, string name, string listeners);

    [LoggerMessage(1001, LogLevel.Information, "Stopping: no new connections, devices are told, links finish.")]
    private static partial void LogStopping(ILogger logger);

    [LoggerMessage(1002, LogLevel.Error, "This node must not run: {Sentence}")]
    private static partial void LogRefused(ILogger logger, string sentence);

    [LoggerMessage(1003, LogLevel.Warning, "This node was declared dead and starts again as a new one: {Sentence}")]
    private static partial void LogDeclaredDead(ILogger logger, string sentence);

    [LoggerMessage(1004, LogLevel.Warning, "Listener {Name} at {Address} is open beyond this machine and asks nobody for a password: whoever reaches it is let in. Keep it on 127.0.0.1, or fence it by a firewall or Listeners:n:Allow.")]
    private static partial void LogOpenDoor(ILogger logger, string name, string address);

    [LoggerMessage(1005, LogLevel.Information, "The embedded groups and the directory are in memory: sessions, retained messages and messages not yet delivered are forgotten when this process ends.")]
    private static partial void LogMemoryOnly(ILogger logger);
}
