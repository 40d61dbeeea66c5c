using System.Globalization;

namespace Trunkline.Testing;

/// <summary>
/// A hundred ports that are this process's alone: other test processes of the machine are respected by a lock file, ports that
/// somebody listens on by looking. All lie below those the kernel gives to connecting sockets, so that nobody takes one while
/// its server is away.
/// </summary>
internal sealed class PortBlock : IDisposable
{
    /// <summary>Ports of a block.</summary>
    public const int Size = 100;

    private const int Lowest = 23000;
    private const int Highest = 32600;
    private const string ListenState = "0A";
    private readonly FileStream _lock;

    private PortBlock(int basePort, FileStream lockFile)
    {
        Base = basePort;
        _lock = lockFile;
    }

    /// <summary>The first of the hundred.</summary>
    public int Base { get; }

    public static PortBlock Take()
    {
        string folder = Path.Combine(Path.GetTempPath(), "trunkline-test-ports");
        System.IO.Directory.CreateDirectory(folder);
        int highest = int.Min(Highest, FirstGivenToClients() - Size);
        for (int candidate = Lowest; candidate <= highest; candidate += Size)
        {
            if (TryLock(Path.Combine(folder, candidate.ToString(CultureInfo.InvariantCulture))) is not { } held)
            {
                continue;
            }

            if (!PortsListenedOn().Any(port => port >= candidate && port < candidate + Size))
            {
                return new PortBlock(candidate, held);
            }

            held.Dispose();
        }

        throw new InvalidOperationException($"Every block of test ports from {Lowest} to {highest} is taken.");
    }

    public void Dispose() => _lock.Dispose();

    private static FileStream? TryLock(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another process holds it, or another user made it.
            return null;
        }
    }

    private static int FirstGivenToClients() =>
        int.Parse(File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split('\t', ' ')[0], CultureInfo.InvariantCulture);

    // "sl local_address remote_address state ...", a local address as 0100007F:59D8.
    private static IEnumerable<int> PortsListenedOn() => new[] { "/proc/net/tcp", "/proc/net/tcp6" }
        .Where(File.Exists)
        .SelectMany(file => File.ReadAllLines(file).Skip(1))
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(fields => fields[3] == ListenState)
        .Select(fields => int.Parse(fields[1].AsSpan(fields[1].LastIndexOf(':') + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
}

/// <summary>Single ports for servers that tests start, each given once in a process, from blocks it holds to its end.</summary>
internal static class FreePorts
{
    private static readonly Giver Ports = new();

    public static int Take() => Ports.Take();

    private sealed class Giver
    {
        private readonly Lock _lock = new();
        private readonly List<PortBlock> _held = [];
        private PortBlock? _block;
        private int _next;

        public int Take()
        {
            lock (_lock)
            {
                if (_block is null || _next == _block.Base + PortBlock.Size)
                {
                    // The one before stays held, too: its ports were given.
                    _block = PortBlock.Take();
                    _held.Add(_block);
                    _next = _block.Base;
                }

                return _next++;
            }
        }
    }
}
