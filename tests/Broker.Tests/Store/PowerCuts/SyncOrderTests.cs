using Trunkline.Broker.Tests.Support;

namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>What must be on the disk before something else happens, where crash images come across it too rarely.</summary>
public sealed class SyncOrderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_last_segment_stays_until_the_one_behind_it_is_on_the_disk()
    {
        var disk = new FailingDisk();
        BrokerOptions options = StoreHarness.Small with { Commit = LogCommit.Always, LogMaximumAgeMs = 1_000 };
        var store = new StoreHarness(_folder.Path, options, disk);
        store.Append("old", store.Log.Acquire("n", 1), 7);
        store.Commit();
        ulong term = store.Log.Term;
        store.Loop.Advance(TimeSpan.FromSeconds(2));
        disk.Error = "No space left on device";
        store.Append(new string('x', options.LogSegmentBytes));
        LoopUntil.Holds(store.Loop, () => store.Log.IsFailing, "the failure is seen");
        store.Log.OnTick();
        store.Close();

        var again = new StoreHarness(_folder.Path, options);
        Assert.Equal(7UL, again.Log.Acquire("n", 1).LastNumber);
        Assert.True(again.Log.Term > term);
        again.Append(new string('y', options.LogSegmentBytes));
        again.Commit();
        again.Loop.Advance(TimeSpan.FromSeconds(2));
        again.Append(new string('z', options.LogSegmentBytes));
        again.Commit();
        again.Log.OnTick();
        Assert.Equal('z', Assert.Single(again.Read()).Payload[0]);
        again.Close();
    }

    [Fact]
    public void What_an_earlier_run_wrote_is_on_the_disk_before_it_counts_as_committed()
    {
        var first = new StoreHarness(_folder.Path, StoreHarness.Small);
        for (int i = 0; i < 60; i++)
        {
            first.Append(new string('x', 1_000));
        }

        first.Commit();
        using TempFolder killed = TempFolder.CopyOf(_folder.Path);
        first.Close();
        var disk = new WatchedDisk();
        var again = new StoreHarness(killed.Path, StoreHarness.Small with { Commit = LogCommit.Always }, disk);
        string[] segments = Directory.GetFiles(Path.Combine(killed.Path, "g"), "*.log");
        Assert.True(segments.Length > 2);
        Assert.Empty(segments.Except(disk.Flushed));
        again.Close();
    }

    [Fact]
    public void A_folder_that_is_made_is_on_the_disk_before_anything_in_it()
    {
        string data = Path.Combine(_folder.Path, "a", "b");
        var disk = new WatchedDisk();
        new StoreHarness(data, disk: disk).Close();
        Assert.Equal([_folder.Path, Path.Combine(_folder.Path, "a"), data, Path.Combine(data, "g")], disk.FlushedFolders.Take(4));
    }

    /// <summary>
    /// The file of retained messages is newer than a log that lost its end (set aside, or to a power cut with <c>os</c>): numbers below the one
    /// it is safe to are given again, and what they retain is not in it.
    /// </summary>
    [Fact]
    public void What_is_retained_after_the_end_of_the_log_was_lost_survives_a_kill()
    {
        TestBroker first = Broker(_folder.Path);
        TestClient publisher = first.PublishLink("n");
        for (int i = 1; i <= 20; i++)
        {
            publisher.Publish("a", $"{i}", tl: $"n{i}", retain: true);
        }

        first.Group.Stop();
        string segment = Assert.Single(Directory.GetFiles(Path.Combine(_folder.Path, "g"), "*.log"));
        byte[] bytes = File.ReadAllBytes(segment);
        bytes[^500] ^= 1;
        File.WriteAllBytes(segment, bytes);

        TestBroker second = Broker(_folder.Path);
        TestClient later = second.PublishLink("m");
        later.Publish("a", "later", tl: "n1", retain: true);
        Assert.Single(later.Acknowledged);
        using TempFolder killed = TempFolder.CopyOf(_folder.Path);
        second.Group.Stop();

        TestBroker third = Broker(killed.Path);
        TestClient subscriber = third.Client();
        subscriber.Subscribe("a", Protocol.QoS.AtLeastOnce);
        Assert.Equal(["later"], subscriber.Payloads);
        third.Group.Stop();
    }

    private static TestBroker Broker(string folder) => new(
        new BrokerOptions { Store = LogStore.File, DataDirectory = folder, DamagedSegments = DamagedSegments.SetAside },
        store: (loop, all) => GroupStore.Open("g", all, loop));
}
