using System.Globalization;
using System.Net;
using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>Asks the sentinels who the master is: all of them at once, and takes the answer that most of them give. One loop.</summary>
internal sealed class RedisSentinels(DirectoryOptions options, DirectoryEnvironment environment, string clientName)
{
    private ConnectionMultiplexer? _multiplexer;

    /// <summary>The master as host:port, or null with the reason when no sentinel tells it within the deadline.</summary>
    internal async Task<(string? Master, string Fault)> FindMasterAsync(CancellationToken cancellation)
    {
        TimeSpan deadline = TimeSpan.FromMilliseconds(options.ConnectDeadlineMs);
        try
        {
            _multiplexer ??= await ConnectionMultiplexer.ConnectAsync(RedisConfiguration.MakeSentinel(options, clientName))
                .WaitAsync(deadline * 2, environment.Time, cancellation);
            string?[] answers = await Task.WhenAll(_multiplexer.GetEndPoints().Select(sentinel => AskAsync(_multiplexer, sentinel, deadline, cancellation)));
            string? master = answers.OfType<string>().GroupBy(a => a).OrderByDescending(g => g.Count()).FirstOrDefault()?.Key;
            return (master, master is null ? $"no sentinel knows a master named '{options.SentinelMaster}' (Directory:SentinelMaster)" : "");
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            // Whatever the client library throws while it connects is "cannot ask"; it begins anew.
            await CloseAsync();
            return (null, "the sentinels cannot be asked: " + RedisConnection.Describe(exception));
        }
    }

    internal Task CloseAsync()
    {
        ConnectionMultiplexer? closed = Interlocked.Exchange(ref _multiplexer, null);
        return closed is null ? Task.CompletedTask : RedisConnection.CloseAsync(closed);
    }

    private async Task<string?> AskAsync(ConnectionMultiplexer multiplexer, EndPoint sentinel, TimeSpan deadline, CancellationToken cancellation)
    {
        try
        {
            Task<EndPoint?> asked = multiplexer.GetServer(sentinel).SentinelGetMasterAddressByNameAsync(options.SentinelMaster);
            RedisConnection.Observe(asked);
            return await asked.WaitAsync(deadline, environment.Time, cancellation) switch
            {
                IPEndPoint ip => ip.ToString(),
                DnsEndPoint dns => string.Create(CultureInfo.InvariantCulture, $"{dns.Host}:{dns.Port}"),
                _ => null,
            };
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or InvalidOperationException or ObjectDisposedException)
        {
            // One that is away or does not know it; the others are asked, too.
            return null;
        }
    }
}
