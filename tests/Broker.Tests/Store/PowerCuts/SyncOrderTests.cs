using Trunkline.Broker.Tests.Logs;
using Trunkline.Broker.Tests.Support;

namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>What must be on the disk before something else happens, where crash images come across it too rarely.</summary>
public sealed class SyncOrderTests : IDisposable
{
    private static readonly BrokerOptions Narrow = StoreHarness.Small with { LogMaximumBytes = 64 * 1024 };

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

    /// <summary>With <c>os</c>, where a power cut may bring back what was deleted, and take what is behind it.</summary>
    [Fact]
    public void What_retention_has_passed_stays_until_it_and_the_segment_behind_it_are_on_the_disk()
    {
        var disk = new WatchedDisk();
        var store = new StoreHarness(_folder.Path, Narrow, disk);
        disk.MaySync.Reset();
        RunAhead(store);
        string[] all = Segments();
        Assert.True(store.Log.Dropped > 100, "retention has passed most of it");
        Assert.True(all.Length > 10, "its files are there");
        disk.MaySync.Set();
        LoopUntil.Holds(store.Loop, () => FilesFit(), "they are deleted");
        Assert.Empty(all.Except(disk.Flushed));
        store.Close();
    }

    [Fact]
    public void What_retention_has_passed_goes_with_the_end_of_the_run_and_all_that_stays_is_on_the_disk()
    {
        var disk = new WatchedDisk();
        var store = new StoreHarness(_folder.Path, Narrow, disk);
        disk.MaySync.Reset();
        RunAhead(store);
        disk.MaySync.Set();
        long messages = store.Log.Messages;
        store.Close();
        Assert.Empty(Segments().Except(disk.Flushed));
        Assert.NotEmpty(Segments());
        Assert.True(FilesFit(), "they are deleted");
        var again = new StoreHarness(_folder.Path, Narrow);
        Assert.Equal(messages, again.Log.Messages);
        again.Close();
    }

    /// <summary>A failed sync promises nothing any more; the files are not to fill the disk for it.</summary>
    [Fact]
    public void What_retention_has_passed_goes_at_once_after_a_sync_that_failed()
    {
        var disk = new FailingDisk();
        var store = new StoreHarness(_folder.Path, Narrow, disk);
        disk.FailsFlush = true;
        RunAhead(store);
        LoopUntil.Holds(store.Loop, () => FilesFit(), "they are deleted");
        store.Close();
    }

    [Fact]
    public void Before_messages_go_from_a_segment_the_one_behind_it_is_on_the_disk_and_so_is_one_that_is_joined_to_it()
    {
        var disk = new WatchedDisk();
        var log = new TenantHarness(_folder.Path, TenantHarness.Small with { SyncIntervalMs = 0 }, disk);
        disk.Flushed.Clear();
        disk.FlushedFolders.Clear();
        for (int n = 0; n < 12_000; n++)
        {
            log.Append(n % 101 == 0 ? "quiet/a" : "hot/b");
        }

        log.Settle();
        string[] flushed = [.. disk.Flushed];
        int[] fresh = [.. Enumerable.Range(0, flushed.Length).Where(n => flushed[n].EndsWith(".log.new", StringComparison.Ordinal))];
        Assert.True(fresh.Length > 10, "segments were written anew");
        Assert.All(fresh, n => Assert.True(string.CompareOrdinal(flushed[n - 1], flushed[n]) > 0, $"{flushed[n - 1]} before {flushed[n]}"));
        Assert.Contains(fresh, n => n > 1 && !fresh.Contains(n - 2)
            && string.CompareOrdinal(flushed[n - 2], flushed[n]) > 0 && string.CompareOrdinal(flushed[n - 1], flushed[n - 2]) > 0);
        Assert.True(disk.FlushedFolders.Count >= fresh.Length * 2, "the name of the one behind it is on the disk, too");
        log.Store.Close();
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

    /// <summary>Many times what the log holds; its own limit holds meanwhile.</summary>
    private static void RunAhead(StoreHarness store)
    {
        for (int i = 0; i < 200; i++)
        {
            store.Append(new string('x', 1_000));
            store.Commit();
            Assert.InRange(store.Log.Bytes, 0, Narrow.LogMaximumBytes + Narrow.LogSegmentBytes);
        }
    }

    private bool FilesFit() => Segments().Length * Narrow.LogSegmentBytes <= Narrow.LogMaximumBytes;

    private string[] Segments() => [.. Directory.GetFiles(Path.Combine(_folder.Path, "g"), "*.log").Order(StringComparer.Ordinal)];

    private static TestBroker Broker(string folder) => new(
        new BrokerOptions { Store = LogStore.File, DataDirectory = folder, DamagedSegments = DamagedSegments.SetAside },
        store: (loop, all) => GroupStore.Open("g", all, loop));
}
