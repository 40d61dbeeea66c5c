using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// A member of a shared subscription that goes on as one session over many connections: cut after a while, it connects to
/// any proxy again, until told to stay.
/// </summary>
public sealed class ShareMember : IAsyncDisposable
{
    private readonly IReadOnlyList<int> _ports;
    private readonly DeviceOptions _options;
    private readonly Random _random;
    private readonly CancellationTokenSource _stays = new();
    private FaultDevice _device;
    private Task _moving = Task.CompletedTask;

    private ShareMember(IReadOnlyList<int> ports, DeviceOptions options, Random random, FaultDevice device) =>
        (_ports, _options, _random, _device) = (ports, options, random, device);

    /// <summary>Connections so far.</summary>
    public int Connections { get; private set; } = 1;

    /// <summary>Connects and returns when the share was granted; it moves from then on.</summary>
    /// <param name="ports">Of the proxies it goes to.</param>
    /// <param name="clientId">Its client identifier.</param>
    /// <param name="filter">The filter with its share name, and the QoS it asks for.</param>
    /// <param name="seed">Decides where it goes when.</param>
    /// <param name="onMessage">Told of each message.</param>
    public static async Task<ShareMember> StartAsync(
        IReadOnlyList<int> ports, string clientId, (string Filter, QoS QoS) filter, int seed, Action<ReceivedMessage> onMessage)
    {
        var random = new Random(seed);
        var options = new DeviceOptions { ClientId = clientId, CleanStart = false, SessionExpirySeconds = 3600, OnMessage = onMessage };
        var member = new ShareMember(ports, options, random, await FaultDevice.ConnectAsync(ports[random.Next(ports.Count)], options));
        try
        {
            Assert.Equal((ReasonCode)filter.QoS, await member._device.SubscribeAsync(filter.Filter, filter.QoS));
        }
        catch
        {
            await member.DisposeAsync();
            throw;
        }

        member._moving = member.MoveAsync();
        return member;
    }

    /// <summary>It keeps the connection of now, or the next one; whoever awaits this sees what went wrong on its ways.</summary>
    public async Task StayAsync()
    {
        await _stays.CancelAsync();
        await _moving;
    }

    public async ValueTask DisposeAsync()
    {
        await _stays.CancelAsync();
        await _moving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _device.DisposeAsync();
        _stays.Dispose();
    }

    private async Task MoveAsync()
    {
        while (!_stays.IsCancellationRequested)
        {
            await Eventually.LastsAsync(TimeSpan.FromMilliseconds(300 + _random.Next(700)), CancellationToken.None);

            // Cut, whatever is on its way; the old connection is over before the new one begins.
            FaultDevice old = _device;
            await old.DisposeAsync();
            await Eventually.HoldsAsync(() => TryGoOnAsync(old), $"{_options.ClientId} connects again");
            Assert.True(_device.IsSessionPresent, $"{_options.ClientId} lost its session on connection {Connections}");
        }
    }

    private async Task<bool> TryGoOnAsync(FaultDevice old)
    {
        try
        {
            _device = await FaultDevice.ConnectAsync(_ports[_random.Next(_ports.Count)], _options with { GoesOnFrom = old });
            Connections++;
            return true;
        }
        catch (ConnectRefusedException)
        {
            // Another node still holds the session, or the directory is slow: it asks again.
            return false;
        }
    }
}
