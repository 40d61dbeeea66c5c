using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Trunkline.Broker;
using Trunkline.Hosting;
using Trunkline.Hosting.Configuration;
using Trunkline.Hosting.Devices;
using Trunkline.Hosting.Management;
using Trunkline.Hosting.Memory;
using Trunkline.Hosting.Metrics;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.BrokerProcess;

/// <summary>A broker group as a process of its own.</summary>
internal sealed partial class BrokerProgram(BrokerProcessOptions options, ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger("Trunkline.Broker");
    private volatile bool _isServing;
    private volatile bool _hasStarted;

    /// <summary>Runs until SIGTERM or SIGINT (0), or until something it needs is not to be had (1).</summary>
    public async Task<int> RunAsync()
    {
        using var signals = new StopSignals();
        using var memory = new MemoryWatch(options.Memory, TimeProvider.System, _logger);
        using var nativeHeap = new NativeHeap(options.Memory, TimeProvider.System);
        var loopOptions = new LoopOptions { Name = "loop-0", Memory = memory.Gauge, Faults = new LoopFaultLog(loggers.CreateLogger("Trunkline.Loops")) };
        using Loop loop = OperatingSystem.IsLinux() ? new EpollLoop(loopOptions) : new ThreadLoop(loopOptions);
        var context = new SessionContext(loop, BrokerSessions.OptionsFor(options.Mqtt));
        GroupStore? store = OpenStore(loop, out string? refusal);
        if (refusal is not null)
        {
            await Console.Error.WriteLineAsync(refusal);
            return 1;
        }

        var group = new BrokerGroup(new BrokerSetup
        {
            Name = options.Group,
            Store = store,
            Options = options.Broker,
            Context = context,
            Logger = _logger,
            Version = ProgramVersion.Of(typeof(BrokerProgram).Assembly),
        });
        var server = new DeviceServer([context], [group]);
        using var meter = new Meter("Trunkline.Broker");
        SessionMetrics.Register(meter, [context]);
        BrokerMetrics.Register(meter, [group], LabelValue.Of);
        using var hostingMetrics = new HostingMetrics(null, [loop]);
        memory.Register(meter);
        nativeHeap.Register(meter);
        memory.Start();
        nativeHeap.Start();
        OpenDoors.Warn(_logger, options.Listeners, options.Management.EndPoint!);
        try
        {
            await using ManagementServer management = await ManagementServer.StartAsync(
                options.Management,
                loggers,
                () => new HealthReport(_hasStarted, _isServing, _isServing ? [] : ["The broker is starting or stopping."]),
                endpoints: application => application.MapGet(
                    "/statistics", async () => Results.Text(StatisticsText.Of(await loop.InvokeAsync(group.Statistics)), "application/json")));
            await using var listeners = new ListenerSet(
                options.Listeners,
                [loop],
                listener => new DeviceAcceptor(server, (long)listener.ConnectDeadline.TotalMilliseconds),
                hostingMetrics,
                loggers.CreateLogger("Trunkline.Hosting"),
                memory.Gauge)
            {
                // At the reserve links still come in, or the tier would lose its group; its gate refuses the others.
                ClosesAt = MemoryLevel.Short,
            };
            loop.Start();
            await loop.InvokeAsync(group.Start);
            await listeners.StartAsync();
            _isServing = true;
            _hasStarted = true;
            LogReady(_logger, options.Group, string.Join(", ", listeners.Bound.Select(listener => listener.Address.ToString())), Keeps(options.Broker));
            await signals.Stopped;
            _isServing = false;
            await listeners.StopAcceptingAsync();
            await server.ShutDownAsync(TimeSpan.FromMilliseconds(options.CloseGraceMs));
            await loop.InvokeAsync(group.Stop);
            await loop.StopAsync();
            LogStopped(_logger, options.Group);
            return 0;
        }
        catch (Exception exception) when (exception is ListenerStartException or IOException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }

    /// <summary>The group's folder when it is to have one; a sentence when that cannot be used.</summary>
    private GroupStore? OpenStore(Loop loop, out string? refusal)
    {
        refusal = null;
        try
        {
            return GroupStore.OpenIfAsked(options.Group, options.Broker, loop, _logger);
        }
        catch (StoreException exception)
        {
            refusal = exception.Message;
            return null;
        }
    }

    private static string Keeps(BrokerOptions options) => !options.UsesFiles()
        ? "Its log is in memory: messages not yet delivered and retained ones are forgotten when this process ends."
        : options.Commit == LogCommit.Always
            ? $"Its log is in {options.DataDirectory}: what is acknowledged survives a power cut."
            : $"Its log is in {options.DataDirectory}: what is acknowledged survives the end of this process, not a power cut.";

    [LoggerMessage(1001, LogLevel.Information, "Broker of {Group} has stopped.")]
    private static partial void LogStopped(ILogger logger, string group);

    [LoggerMessage(1000, LogLevel.Information, "Broker of {Group} serves at {Addresses}. {Keeps}")]
    private static partial void LogReady(ILogger logger, string group, string addresses, string keeps);
}
