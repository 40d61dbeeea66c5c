using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Holds back log lines of one address that come faster than one in ten seconds, and counts them. Any thread; rare paths.</summary>
internal sealed class FloodGate(TimeProvider time)
{
    private const int MaximumAddresses = 4096;
    private const long PauseMs = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<NetworkAddress, (long UntilMs, int Held)> _addresses = [];

    /// <summary>Whether a line about this address may be written now; <paramref name="held"/> says how many were not since the last.</summary>
    public bool MayLog(NetworkAddress address, out int held)
    {
        long nowMs = time.GetTimestamp() / Math.Max(1, time.TimestampFrequency / 1000);
        NetworkAddress host = address.WithPort(0);
        lock (_lock)
        {
            held = 0;
            if (_addresses.TryGetValue(host, out (long UntilMs, int Held) entry) && nowMs < entry.UntilMs)
            {
                _addresses[host] = (entry.UntilMs, entry.Held + 1);
                return false;
            }

            if (_addresses.Count >= MaximumAddresses)
            {
                // A flood from everywhere: forget the counts rather than grow.
                _addresses.Clear();
            }

            held = entry.Held;
            _addresses[host] = (nowMs + PauseMs, 0);
            return true;
        }
    }
}
