using System.Globalization;
using Trunkline.Tool.Processes;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>
/// A hundred ports for one test. Blocks of other test processes on this machine are respected by a lock file, and
/// ports that somebody listens on by looking. All lie below the ports the kernel gives to clients.
/// </summary>
public sealed class TestPorts : IDisposable
{
    private const int Lowest = 23000;
    private const int Highest = 32600;
    private const int Span = 100;
    private readonly FileStream _lock;

    private TestPorts(int basePort, FileStream lockFile)
    {
        Base = basePort;
        _lock = lockFile;
    }

    /// <summary>The first of the hundred.</summary>
    public int Base { get; }

    public static TestPorts Take()
    {
        string folder = Path.Combine(Path.GetTempPath(), "trunkline-test-ports");
        Directory.CreateDirectory(folder);
        for (int candidate = Lowest; candidate <= Highest; candidate += Span)
        {
            if (TryLock(Path.Combine(folder, candidate.ToString(CultureInfo.InvariantCulture))) is not FileStream held)
            {
                continue;
            }

            if (PortHolders.Find([.. Enumerable.Range(candidate, Span)]).Count == 0)
            {
                return new TestPorts(candidate, held);
            }

            held.Dispose();
        }

        throw new InvalidOperationException("Every block of test ports is taken.");
    }

    public void Dispose() => _lock.Dispose();

    private static FileStream? TryLock(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
