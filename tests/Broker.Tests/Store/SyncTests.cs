using Trunkline.Broker.Tests.Support;

namespace Trunkline.Broker.Tests.Store;

/// <summary><c>Commit: os</c> syncs beside its writes, and recovery knows what that covered.</summary>
public sealed class SyncTests : IDisposable
{
    private static readonly BrokerOptions Options = StoreHarness.Small with { SyncIntervalMs = 1_000 };

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_log_is_synced_once_an_interval_while_it_grows_and_not_when_it_rests()
    {
        var disk = new WatchedDisk();
        var store = new StoreHarness(_folder.Path, Options, disk);
        int before = disk.Flushed.Count;
        for (int i = 1; i <= 3; i++)
        {
            store.Append("a");
            store.Append("b");
            store.Commit();
            store.Loop.Advance(TimeSpan.FromMilliseconds(900));
            Assert.Equal(before + i - 1, disk.Flushed.Count);
            store.Loop.Advance(TimeSpan.FromMilliseconds(200));
            Synced(store, i);
            Assert.Equal(before + i, disk.Flushed.Count);
        }

        store.Loop.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(before + 3, disk.Flushed.Count);
        store.Close();
    }

    [Fact]
    public void An_eighth_of_a_segment_is_synced_at_once()
    {
        var disk = new WatchedDisk();
        var store = new StoreHarness(_folder.Path, Options, disk);
        store.Append(new string('x', Options.LogSegmentBytes / 8));
        store.Commit();
        Synced(store, 1);
        store.Close();
    }

    [Fact]
    public void Without_an_interval_it_is_left_to_the_system()
    {
        var disk = new WatchedDisk();
        var store = new StoreHarness(_folder.Path, Options with { SyncIntervalMs = 0 }, disk);
        int before = disk.Flushed.Count;
        store.Append(new string('x', Options.LogSegmentBytes / 2));
        store.Commit();
        store.Loop.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(before, disk.Flushed.Count);
        store.Close();
    }

    [Fact]
    public void A_sync_covers_all_segments_since_the_one_before()
    {
        var disk = new WatchedDisk();
        var store = new StoreHarness(_folder.Path, Options, disk);
        store.Append("a");
        store.Commit();
        store.Loop.Advance(TimeSpan.FromSeconds(2));
        Synced(store, 1);
        disk.Flushed.Clear();
        disk.FlushedFolders.Clear();
        for (int i = 0; i < 3; i++)
        {
            store.Append(new string('x', Options.LogSegmentBytes));
        }

        store.Commit();
        Synced(store, 2);
        Assert.Equal(4, Segments().Length);
        Assert.Equal(Segments(), disk.Flushed);
        Assert.Single(disk.FlushedFolders);
        store.Close();
    }

    [Fact]
    public void A_sync_that_fails_is_told_once_a_segment_and_never_believed_later()
    {
        var disk = new FailingDisk();
        var log = new LineCounts();
        var store = new StoreHarness(_folder.Path, Options, disk, logger: log);
        disk.FailsFlush = true;
        store.Append("first of all");
        store.Commit();
        store.Loop.Advance(TimeSpan.FromSeconds(2));
        LoopUntil.Holds(store.Loop, () => store.Store.Counters.Read(BrokerCounter.LogSyncFailures) == 1, "the failure is counted");

        // It is tried again when there is something new, and no sooner.
        store.Loop.Advance(TimeSpan.FromMinutes(1));
        store.Append("b");
        store.Commit();
        store.Loop.Advance(TimeSpan.FromSeconds(2));
        LoopUntil.Holds(store.Loop, () => store.Store.Counters.Read(BrokerCounter.LogSyncFailures) == 2, "it is tried again");
        disk.FailsFlush = false;
        store.Append("c");
        store.Commit();
        store.Loop.Advance(TimeSpan.FromSeconds(2));
        Synced(store, 3);
        store.Append("d");
        store.Commit();
        Assert.Equal(1, log[4114]);
        using TempFolder left = TempFolder.CopyOf(_folder.Path);
        store.Close();

        // The sync that succeeded says nothing of what the first one had to write: that may be torn.
        Damage(left, "first of all");
        var again = new StoreHarness(left.Path, Options, new WatchedDisk { Start = "second" });
        Assert.Empty(again.Read());
        again.Close();
    }

    [Theory]
    [InlineData("synced", "first", false)]
    [InlineData("synced", "second", false)]
    [InlineData("open", "first", false)]
    [InlineData("open", "second", true)]
    public void What_was_not_synced_is_cut_after_a_start_of_the_system_alone(string damaged, string start, bool isCut)
    {
        var store = new StoreHarness(_folder.Path, Options, new WatchedDisk());
        store.Append("earlier");
        store.Append("synced");
        store.Commit();
        store.Loop.Advance(TimeSpan.FromSeconds(2));
        Synced(store, 1);
        store.Append("open");
        store.Append("behind");
        store.Commit();
        using TempFolder left = TempFolder.CopyOf(_folder.Path);
        store.Close();
        Damage(left, damaged);
        if (!isCut)
        {
            StoreException refused = Assert.Throws<StoreException>(() => new StoreHarness(left.Path, Options, new WatchedDisk { Start = start }));
            Assert.Contains("is damaged at offset", refused.Message, StringComparison.Ordinal);
            return;
        }

        var again = new StoreHarness(left.Path, Options, new WatchedDisk { Start = start });
        Assert.Equal(["earlier", "synced"], again.Read().Select(message => message.Payload));
        again.Append("later");
        again.Append("newest");
        again.Commit();
        using TempFolder killed = TempFolder.CopyOf(left.Path);
        again.Close();

        // The next run belongs to the same start, and what it wrote is not cut for a mere kill.
        Damage(killed, "later");
        Assert.Throws<StoreException>(() => new StoreHarness(killed.Path, Options, new WatchedDisk { Start = start }));
    }

    [Theory]
    [InlineData("cut", false, 1)]
    [InlineData("cut", true, -1)]
    [InlineData("header", false, 1)]
    [InlineData("header", true, -1)]
    [InlineData("gone", false, 1)]
    [InlineData("gone", true, -1)]
    public void A_power_cut_may_take_from_several_segments_what_no_later_one_vouches_for(string damage, bool isVouchedFor, int left)
    {
        var store = new StoreHarness(_folder.Path, Options with { SyncIntervalMs = 0 }, new WatchedDisk());
        foreach (char letter in "abcd")
        {
            store.Append($"{letter}{new string('x', Options.LogSegmentBytes)}");
            store.Commit();
        }

        using TempFolder copy = TempFolder.CopyOf(_folder.Path);
        store.Close();
        string[] files = [.. Directory.GetFiles(Path.Combine(copy.Path, "g"), "*.log").Order(StringComparer.Ordinal)];
        if (isVouchedFor)
        {
            // A run of this start of the system adds a record that says all before it is on the disk.
            new StoreHarness(copy.Path, Options, new WatchedDisk()).Close();
        }

        byte[] bytes = File.ReadAllBytes(files[2]);
        switch (damage)
        {
            case "cut":
                File.WriteAllBytes(files[2], bytes[..(bytes.Length / 2)]);
                break;
            case "header":
                bytes.AsSpan(0, 512).Clear();
                File.WriteAllBytes(files[2], bytes);
                break;
            default:
                File.Delete(files[2]);
                break;
        }

        var disk = new WatchedDisk { Start = "second" };
        if (left < 0)
        {
            Assert.Throws<StoreException>(() => new StoreHarness(copy.Path, Options, disk));
            return;
        }

        Assert.Throws<StoreException>(() => new StoreHarness(copy.Path, Options, new WatchedDisk()));
        var again = new StoreHarness(copy.Path, Options, disk);
        Assert.Equal("ab", string.Concat(again.Read().Select(message => message.Payload[0])));
        Assert.True(File.Exists(files[3] + ".damaged"));
        again.Append("e");
        again.Commit();
        Assert.Equal("abe", string.Concat(again.Read().Select(message => message.Payload[0])));
        again.Close();
        var third = new StoreHarness(copy.Path, Options, disk);
        Assert.Equal(3, third.Read().Count);
        third.Close();
    }

    private static void Synced(StoreHarness store, long times) =>
        LoopUntil.Holds(store.Loop, () => store.Store.Counters.Read(BrokerCounter.LogSyncs) >= times, "it is synced");

    private static void Damage(TempFolder folder, string payload)
    {
        string file = Assert.Single(Directory.GetFiles(Path.Combine(folder.Path, "g"), "*.log"));
        byte[] bytes = File.ReadAllBytes(file);
        int place = bytes.AsSpan().LastIndexOf(System.Text.Encoding.UTF8.GetBytes(payload));
        Assert.True(place > 0);
        bytes[place] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    private string[] Segments() => [.. Directory.GetFiles(Path.Combine(_folder.Path, "g"), "*.log").Order(StringComparer.Ordinal)];
}
