namespace Trunkline.Loadtest;

/// <summary>One client of each loop connects, subscribes where the pattern does, and goes; nothing of it is counted.</summary>
internal sealed class PrimingRun(LoadSession session) : IClientOwner
{
    private int _left = session.Loops.Count;

    /// <summary>Runs it; a target that does not answer is the run's to report.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        await session.OnAllAsync(loop =>
        {
            string id = $"{session.Prefix}_first{loop.Index}";
            var spec = new ClientSpec
            {
                Number = 0,
                ClientId = id,
                Target = 0,
                Index = loop.Index,
                Filter = $"loadtest/{id}",
                UserName = session.Options.UserName?.Replace("%i", "0", StringComparison.Ordinal),
            };
            var client = new MqttClient(spec, session.Settings, loop, session.Connectors, this);
            client.Connect(session.Clock.NowNs);
        });
        await session.UntilAsync(_ => Volatile.Read(ref _left) == 0, session.Options.ConnectTimeout, stop);
        await session.OnAllAsync(loop => loop.Figures = new LoopFigures());
    }

    /// <inheritdoc/>
    public void OnReady(MqttClient client) => client.Disconnect(abort: false);

    /// <inheritdoc/>
    public void OnFailed(MqttClient client, string reason) => Interlocked.Decrement(ref _left);

    /// <inheritdoc/>
    public void OnEnded(MqttClient client, bool wanted, string reason) => Interlocked.Decrement(ref _left);
}
