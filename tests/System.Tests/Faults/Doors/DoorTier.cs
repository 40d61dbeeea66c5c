using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// One proxy with further listeners whose limits are near, and a broker. Every test comes from an address of its own
/// (127.0.x.y), because lines about one address are held back.
/// </summary>
public sealed class DoorTier : IAsyncLifetime
{
    private int _basePort;

    public Tier Tier { get; private set; } = null!;

    public ProxyDescription Proxy => Tier.Now.Proxies[0];

    public int Pid => Tier.Pid("proxy-1");

    /// <summary>Believes PROXY headers from 10.9.9.9 only.</summary>
    public int Untrusting => _basePort + 20;

    /// <summary>Gives a CONNECT one second.</summary>
    public int Hasty => _basePort + 21;

    /// <summary>Takes <see cref="FewConnections"/>.</summary>
    public int Few => _basePort + 22;

    /// <summary>Closes a device that takes nothing for two seconds.</summary>
    public int Impatient => _basePort + 23;

    /// <summary>WebSocket, frames of 64 KiB at most, headers of 4 KiB.</summary>
    public int SmallFrames => _basePort + 24;

    public static int FewConnections => 3;

    public async Task InitializeAsync() => Tier = await Tier.UpAsync(basePort =>
    {
        _basePort = basePort;
        return new TierOptions
        {
            Proxies = 1,
            Groups = 1,
            Redis = "none",
            ProxySettings =
            [
                .. Listener(4, "untrusting", "tcp", Untrusting, "ProxyProtocol:Mode=optional", "ProxyProtocol:TrustedAddresses:0=10.9.9.9"),
                .. Listener(5, "hasty", "tcp", Hasty, "ConnectDeadlineMs=1000"),
                .. Listener(6, "few", "tcp", Few, $"MaximumConnections={FewConnections}"),
                .. Listener(7, "impatient", "tcp", Impatient, "SendTimeoutMs=2000"),
                .. Listener(8, "small", "ws", SmallFrames, "WebSocket:MaximumFrameBytes=65536", "WebSocket:MaximumHeaderBytes=4096"),
            ],
        };
    });

    public Task DisposeAsync() => Tier.DisposeAsync().AsTask();

    /// <summary>A figure of the proxy.</summary>
    public Task<double> MetricAsync(string name, string labels = "") => ManagementClient.MetricAsync(Proxy.Management, name, labels);

    /// <summary>Returns when the proxy's log has a line that holds all the parts.</summary>
    public Task LogsAsync(params string[] parts) => Eventually.HoldsAsync(
        () => LogLines(parts).Any(),
        () => $"a log line with {string.Join(" and ", parts)}");

    /// <summary>Lines of the proxy's log that hold all the parts.</summary>
    public IEnumerable<string> LogLines(params string[] parts) =>
        Tier.ReadLog("proxy-1").Split('\n').Where(line => parts.All(part => line.Contains(part, StringComparison.Ordinal)));

    private static IEnumerable<string> Listener(int number, string name, string type, int port, params string[] settings) =>
        settings.Prepend($"Address=127.0.0.1:{port}").Prepend($"Type={type}").Prepend($"Name={name}")
            .Select(setting => $"Listeners:{number}:{setting}");
}

/// <summary>Classes that share one <see cref="DoorTier"/>.</summary>
[CollectionDefinition("doors")]
public sealed class DoorCollection : ICollectionFixture<DoorTier>;
