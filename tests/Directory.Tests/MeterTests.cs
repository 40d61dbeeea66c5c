using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Trunkline.Directory.Tests;

public sealed class MeterTests
{
    [Fact]
    public async Task Operations_recycles_and_take_overs_are_counted_without_names_of_devices()
    {
        using var meter = new Meter("mine");
        ConcurrentBag<(string Instrument, string Tags)> seen = [];
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((i, _, tags, _) => seen.Add((i.Name, string.Join(',', tags.ToArray().Select(t => t.Key + "=" + t.Value)))));
        listener.SetMeasurementEventCallback<double>((i, _, tags, _) => seen.Add((i.Name, string.Join(',', tags.ToArray().Select(t => t.Key + "=" + t.Value)))));
        listener.Start();
        await using RedisServer server = await RedisServer.StartAsync();
        var self = new NodeInfo(new NodeId(5), "one", "", "", "");
        await using var directory = new RedisDirectory(self, new DirectoryOptions { Endpoints = [server.Endpoint], OperationDeadlineMs = 500 },
            new DirectoryEnvironment(TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, meter, 1));
        var events = new RecordingEvents();

        // The deadline is short because a missed one is wanted below; on a loaded machine one is missed here too, and both
        // calls may be tried again then.
        await Eventually.HoldsAsync(async () => (await directory.JoinAsync(TestTier.Shape, events)).IsOk, "joined");
        await Eventually.HoldsAsync(async () => (await directory.ClaimAsync(new("device-secret", 1))).IsOk, "claimed");
        await directory.RequestTakeOverAsync("device-secret", new(1, new NodeId(9)), new(2, self.Id));
        server.Stop();
        Assert.False((await directory.ClaimAsync(new("device-secret", 1))).IsOk);
        server.Continue();
        await events.NextAsync<HeldDoubt>();

        Assert.Contains(("trunkline.directory.operations", "operation=claim,result=ok"), seen);
        Assert.Contains(("trunkline.directory.operations", "operation=claim,result=unavailable"), seen);
        Assert.Contains(("trunkline.directory.operation.duration", "operation=claim"), seen);
        Assert.Contains(("trunkline.directory.takeovers", "result=gone"), seen);
        Assert.Contains(seen, s => s.Instrument == "trunkline.directory.recycles");
        Assert.DoesNotContain(seen, s => s.Tags.Contains("secret", StringComparison.Ordinal));
    }
}
