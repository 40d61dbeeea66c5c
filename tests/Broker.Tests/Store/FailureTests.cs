using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Store;

/// <summary>FAULTS 13: while the log cannot be written nothing is acknowledged, QoS 0 goes on, and it mends by itself.</summary>
public sealed class FailureTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FailingDisk _disk = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(LogCommit.Os, false)]
    [InlineData(LogCommit.Always, false)]
    [InlineData(LogCommit.Always, true)]
    public void A_failing_disk_stops_acknowledgements_alone(LogCommit commit, bool onFlush)
    {
        TestBroker broker = Broker(new BrokerOptions { Commit = commit });
        TestClient subscriber = broker.Client();
        subscriber.Subscribe("#", QoS.AtLeastOnce);
        TestClient publisher = broker.PublishLink("n");
        publisher.Publish("a", "1", tl: "n1");
        LoopUntil.Holds(broker.Loop, () => publisher.Acknowledged.Count == 1, "1 is acknowledged");

        _disk.Error = onFlush ? null : "No space left on device";
        _disk.FailsFlush = onFlush;
        publisher.Publish("a", "2", tl: "n2", retain: true);
        publisher.Publish("a", "0", QoS.AtMostOnce);
        LoopUntil.Holds(broker.Loop, () => broker.Group.Log.IsFailing, "the failure is seen");
        publisher.Publish("a", "3", tl: "n3");
        broker.Advance(2_000);
        Assert.Single(publisher.Acknowledged);
        Assert.Equal(["1", "0"], subscriber.Payloads);
        Assert.Equal(1, broker.Count(BrokerCounter.LogFailing));
        Assert.True(broker.Count(BrokerCounter.LogUncommittedBytes) > 0);
        using TempFolder killed = TempFolder.CopyOf(_folder.Path);

        _disk.Error = null;
        _disk.FailsFlush = false;
        LoopUntil.Holds(broker.Loop, () => Advanced(broker) && publisher.Acknowledged.Count == 3, "the rest is acknowledged");
        Assert.Equal(["1", "0", "2", "3"], subscriber.Payloads);
        broker.Advance(1_000);
        Assert.Equal(0, broker.Count(BrokerCounter.LogFailing));
        Assert.True(broker.Count(BrokerCounter.LogWriteFailures) > 0);
        broker.Group.Stop();
        Assert.Equal(["1", "2", "3"], Payloads(_folder.Path));
        Assert.Equal("1", Payloads(killed.Path)[0]);
    }

    [Fact]
    public void Publishers_pause_at_the_limit_of_what_may_wait_and_go_on_when_it_is_written()
    {
        TestBroker broker = Broker(new BrokerOptions { LogUncommittedMaximumBytes = 64 * 1024 });
        TestClient publisher = broker.PublishLink("n");
        _disk.Error = "No space left on device";
        for (int i = 1; i <= 100; i++)
        {
            publisher.Publish("a", new string('x', 1000), tl: $"n{i}");
        }

        Assert.InRange(broker.Group.Log.UncommittedBytes, 64 * 1024, 66 * 1024);
        Assert.Equal(1, broker.Count(BrokerCounter.LogPauses));
        _disk.Error = null;
        LoopUntil.Holds(broker.Loop, () => Advanced(broker) && publisher.Acknowledged.Count == 100, "all are acknowledged");
        broker.Group.Stop();
        Assert.Equal(100, Payloads(_folder.Path).Length);
    }

    private static bool Advanced(TestBroker broker)
    {
        broker.Advance(100);
        return true;
    }

    private static string[] Payloads(string folder)
    {
        var store = new StoreHarness(folder);
        string[] payloads = [.. store.Read().Select(message => message.Payload)];
        store.Close();
        return payloads;
    }

    private TestBroker Broker(BrokerOptions options) => new(
        options with { Store = LogStore.File, DataDirectory = _folder.Path },
        store: (loop, all) => GroupStore.Open("g", all, loop, NullLogger.Instance, _disk));
}
