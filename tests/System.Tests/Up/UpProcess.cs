using System.Diagnostics;
using System.Globalization;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;

namespace Trunkline.SystemTests.Up;

/// <summary>./trunkline up on ports of its own, as somebody new would start it.</summary>
public sealed class UpProcess : IAsyncDisposable
{
    private readonly TestPorts _ports;
    private readonly LiveProcess _process;

    private UpProcess(TestPorts ports, LiveProcess process)
    {
        _ports = ports;
        _process = process;
    }

    public int Mqtt => _ports.Base;

    public int WebSocket => _ports.Base + 1;

    public int Management => _ports.Base + 2;

    public LiveProcess Process => _process;

    /// <summary>Starts it and returns when it says that it serves.</summary>
    public static Task<UpProcess> StartAsync(params string[] arguments) => StartAsync(
        flags => LiveProcess.Start(Path.Combine(Repository.Root, "trunkline"), ["up", .. flags, .. arguments]));

    private static async Task<UpProcess> StartAsync(Func<string[], LiveProcess> start)
    {
        TestPorts ports = TestPorts.Take();
        LiveProcess process = start(Flags(ports.Base, ports.Base + 1, ports.Base + 2));
        UpProcess up = new(ports, process);
        try
        {
            await process.AwaitLineAsync(" serves: ", TimeSpan.FromMinutes(3));
            return up;
        }
        catch
        {
            await up.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it within a control group: a shell enters the group, then becomes the program.</summary>
    public static Task<UpProcess> StartInAsync(string cgroup, params string[] arguments) => StartAsync(flags => LiveProcess.Start(
        "/bin/sh",
        [
            "-c", "echo $$ > \"$1/cgroup.procs\" && shift && exec \"$@\"", "sh", cgroup,
            Path.Combine(Repository.Root, "trunkline"), "up", .. flags, .. arguments,
        ]));

    /// <summary>The flags that give each listener its port.</summary>
    public static string[] Flags(int mqtt, int webSocket, int management) =>
    [
        "--mqtt-port", mqtt.ToString(CultureInfo.InvariantCulture),
        "--ws-port", webSocket.ToString(CultureInfo.InvariantCulture),
        "--management-port", management.ToString(CultureInfo.InvariantCulture),
    ];

    /// <summary>SIGTERM: the script has become the program, so that it is the program that gets it.</summary>
    public void Terminate()
    {
        using Process kill = global::System.Diagnostics.Process.Start("kill", ["-TERM", _process.Pid.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _ports.Dispose();
    }
}

/// <summary>One `up` for a class of tests.</summary>
public sealed class UpFixture : IAsyncLifetime
{
    private UpProcess? _up;

    public UpProcess Up => _up ?? throw new InvalidOperationException("./trunkline up did not start.");

    public async Task InitializeAsync() => _up = await UpProcess.StartAsync();

    public async Task DisposeAsync()
    {
        if (_up is not null)
        {
            await _up.DisposeAsync();
        }
    }
}
