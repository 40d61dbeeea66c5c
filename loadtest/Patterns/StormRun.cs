namespace Trunkline.Loadtest;

/// <summary>
/// storm: all clients connected, all dropped at once by reset, all back as fast as they can; how long until 50%, 99% and
/// all stand again. A client whose attempt fails tries again after 100 ms, or after `--reconnect`.
/// </summary>
internal sealed class StormRun : ILoadRun
{
    private readonly LoadSession _session;
    private readonly LoadOptions _options;
    private readonly ClientSet _clients;

    /// <summary>Makes the clients.</summary>
    public StormRun(LoadSession session)
    {
        _session = session;
        _options = session.Options;
        _clients = new ClientSet(session, PlanBuilder.Build(_options, session.Prefix)) { Storm = new StormClock(session.Clock) };
    }

    /// <inheritdoc/>
    public int Clients => _options.Count;

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stop)
    {
        RunWatch watch = _session.Watch;
        watch.Phase = "connecting";
        await _clients.ConnectAsync(_ => true, stop);
        await watch.MarkConnectedAsync();
        long standing = (await _session.CountAsync()).Connected;
        long startNs = _session.Clock.NowNs;
        await watch.BeginAsync(startNs);
        for (int round = 1; round <= _options.Rounds && !stop.IsCancellationRequested && standing > 0; round++)
        {
            watch.Phase = $"storm {round} of {_options.Rounds}";
            await RunRoundAsync(standing, stop);
        }

        await watch.EndAsync(long.MaxValue);
        await _clients.DisconnectAsync();
    }

    private async Task RunRoundAsync(long standing, CancellationToken stop)
    {
        StormClock storm = _clients.Storm!;
        storm.Begin(_session.Clock.NowNs, standing);
        await _session.OnAllAsync(loop =>
        {
            foreach (MqttClient client in _clients.On(loop))
            {
                client.Disconnect(abort: true);
            }
        });
        await _session.UntilAsync(_ => storm.Back >= standing, _options.Duration, stop);
        _session.Watch.AddStorm(storm.End());
    }
}
