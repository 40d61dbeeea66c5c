using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Connections;

namespace Trunkline.Hosting.Management;

/// <summary>
/// Holds the management port to its number of connections: a further one is closed before a byte of it is read, and counted.
/// Any thread.
/// </summary>
internal sealed class ManagementDoor : IDisposable
{
    private readonly int _maximum;
    private readonly Meter _meter = new("Trunkline.Management");
    private readonly Counter<long> _refused;
    private int _open;

    public ManagementDoor(int maximum)
    {
        _maximum = maximum;
        _refused = _meter.CreateCounter<long>("trunkline.management.refused", description: "Connections to the management port closed at Management:MaximumConnections.");
    }

    /// <summary>What stands before the server of HTTP.</summary>
    public ConnectionDelegate Guard(ConnectionDelegate next) => async connection =>
    {
        if (Interlocked.Increment(ref _open) > _maximum)
        {
            _refused.Add(1);
            connection.Abort();
            Interlocked.Decrement(ref _open);
            return;
        }

        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    };

    public void Dispose() => _meter.Dispose();
}
