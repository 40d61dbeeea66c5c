using Trunkline.Broker.Tests.Logs;
using Trunkline.Broker.Tests.Support;
using Trunkline.Sessions;

namespace Trunkline.Broker.Tests.Store;

/// <summary>Segments written anew without the messages of a hot tenant: kills, damage, retained messages.</summary>
public sealed class ThinnedSegmentTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_kill_at_any_moment_leaves_the_quiet_tenant_everything()
    {
        var log = new TenantHarness(_folder.Path);
        for (int n = 0; n < 12_000; n++)
        {
            log.Append(n % 101 == 0 ? "quiet/a" : "hot/b");
            if (n % 1_500 == 1_499)
            {
                Assert.Equal(log.Of("quiet"), QuietAfterKill(log));
            }
        }

        Assert.True(log.Store.Store.Counters.Read(BrokerCounter.LogThinned) > 10);
        log.Settle();
        long messages = log.Log.Messages;
        log.Store.Close();
        var again = new TenantHarness(_folder.Path) { All = log.All };
        Assert.Equal(messages, again.Log.Messages);
        Assert.Equal(2, again.Log.Tenants);
        for (int n = 0; n < 3_000; n++)
        {
            again.Append("hot/b");
        }

        again.Settle();
        Assert.Equal(again.Of("quiet"), Quiet(again));
        again.Store.Close();
    }

    [Fact]
    public void A_file_that_was_joined_to_the_one_before_it_and_not_deleted_is_known()
    {
        var log = new TenantHarness(_folder.Path);
        var seen = new Dictionary<string, byte[]>();
        for (int n = 0; n < 12_000; n++)
        {
            log.Append(n % 101 == 0 ? "quiet/a" : "hot/b");
            if (n % 50 == 0)
            {
                foreach (string file in Directory.GetFiles(Path.Combine(_folder.Path, "g"), "*.log").SkipLast(1))
                {
                    seen.TryAdd(file, File.ReadAllBytes(file));
                }
            }
        }

        log.Settle();
        string[] files = Directory.GetFiles(Path.Combine(_folder.Path, "g"), "*.log");
        long messages = log.Log.Messages;
        log.Store.Close();
        string[] gone = [.. seen.Keys.Except(files).Where(file => string.CompareOrdinal(file, files.Min(StringComparer.Ordinal)) > 0)];
        Assert.NotEmpty(gone);
        string left = gone.Max(StringComparer.Ordinal)!;
        File.WriteAllBytes(left, seen[left]);
        var again = new TenantHarness(_folder.Path) { All = log.All };
        Assert.Equal(messages, again.Log.Messages);
        Assert.Equal(again.Of("quiet"), Quiet(again));
        Assert.False(File.Exists(left));
        again.Store.Close();
    }

    [Fact]
    public void A_damaged_segment_is_not_written_anew_and_the_limit_holds_all_the_same()
    {
        var log = new TenantHarness(_folder.Path);
        for (int n = 0; n < 1_000; n++)
        {
            log.Append(n % 101 == 0 ? "quiet/a" : "hot/b");
        }

        string oldest = Oldest();
        Damage(oldest);
        for (int n = 0; n < 20_000; n++)
        {
            log.Append("hot/b");
        }

        log.Settle();
        Assert.InRange(log.Log.Bytes, 0, log.Options.LogMaximumBytes);
        Assert.True(File.Exists(oldest), "what could not be read was replaced");
        log.Store.Close();
    }

    [Fact]
    public void A_segment_that_could_not_be_read_for_a_moment_is_written_anew_later()
    {
        var disk = new FailingDisk();
        var lines = new LineCounts();
        var log = new TenantHarness(_folder.Path, disk: disk, logger: lines);
        disk.FailingReads = 1;
        while (Failures(log) == 0)
        {
            log.Append(log.All.Count % 101 == 0 ? "quiet/a" : "hot/b");
        }

        string oldest = Oldest();
        int thinned = Thinned(log);
        for (int n = 0; n < 1_000; n++)
        {
            log.Append(n % 101 == 0 ? "quiet/a" : "hot/b");
        }

        log.Settle();
        Assert.True(Thinned(log) > thinned, "the others were not written anew");
        Assert.False(IsThinned(oldest), "it was tried again at once");
        log.Store.Loop.Advance(TimeSpan.FromMilliseconds(log.Options.LogRetryMs));
        for (int n = 0; n < 500; n++)
        {
            log.Append("hot/b");
        }

        log.Settle();
        Assert.Equal(oldest, Oldest());
        Assert.True(IsThinned(oldest), "it was never tried again");
        Assert.Equal(1, Failures(log));
        Assert.Equal((1, 1), (lines[4108], lines[4113]));
        Assert.Equal(log.Of("quiet"), Quiet(log));
        log.Store.Close();
    }

    [Fact]
    public void A_segment_that_can_never_be_written_anew_is_tried_ever_more_rarely_and_told_of_once()
    {
        var lines = new LineCounts();
        var log = new TenantHarness(_folder.Path, logger: lines);
        for (int n = 0; n < 1_000; n++)
        {
            log.Append(n % 101 == 0 ? "quiet/a" : "hot/b");
        }

        string oldest = Oldest();
        Damage(oldest);
        const int Seconds = 1_000;
        for (int second = 0; second < Seconds; second++)
        {
            log.Append("hot/b", size: 2_000);
            log.Store.Loop.Advance(TimeSpan.FromSeconds(1));
            log.Log.OnTick();
            LoopUntil.Holds(log.Store.Loop, () => !log.Store.Log.IsThinning, "no segment is being written anew");
        }

        Assert.True(File.Exists(oldest), "what could not be read was replaced");
        Assert.InRange(Failures(log), 10, 8 + (Seconds / 60));
        Assert.Equal((1, 0), (lines[4108], lines[4113]));
        log.Store.Close();
    }

    [Fact]
    public void A_retained_message_that_was_removed_does_not_come_back_when_only_its_removal_is_gone()
    {
        TestBroker broker = Broker();
        TestClient publisher = broker.PublishLink("n");
        int sent = 0;

        // What set it stays, for its tenant has little there; what removed it goes, among much of the same.
        publisher.Publish("hot/state", "on", retain: true, tl: $"n{++sent}");
        for (int n = 0; n < 300; n++)
        {
            publisher.Publish($"t{n % 30}/x", new string('x', 100), tl: $"n{++sent}");
        }

        publisher.Publish("hot/state", "", retain: true, tl: $"n{++sent}");
        for (int n = 0; n < 8_000; n++)
        {
            publisher.Publish("hot/b", new string('x', 100), tl: $"n{++sent}");
            LoopUntil.Holds(broker.Loop, () => !((FileGroupLog)broker.Group.Log).IsThinning, "no segment is being written anew");
        }

        LoopUntil.Holds(broker.Loop, () => publisher.Acknowledged.Count == sent, "all are acknowledged");
        broker.Group.Stop();
        TestBroker again = Broker();
        TestClient reader = again.Client();
        Received reply = reader.Ask("$trunkline/log", "from p0:0\nfilter hot/state");
        Assert.Equal("on", reply.Page()[0].Payload);
        Assert.Equal(0, again.Group.Statistics().RetainedMessages);
        again.Group.Stop();
    }

    [Fact]
    public void The_limit_holds_when_publishers_are_faster_than_segments_can_be_written_anew()
    {
        var log = new TenantHarness(_folder.Path) { Hurries = true };
        for (int n = 0; n < 20_000; n++)
        {
            log.Append(n % 101 == 0 ? "quiet/a" : "hot/b");
            Assert.InRange(log.Log.Bytes, 0, 2 * log.Options.LogMaximumBytes);
        }

        log.Settle();
        Assert.InRange(log.Log.Bytes, 0, log.Options.LogMaximumBytes);
        Assert.Equal(log.Log.Messages, log.Read(out _).Count);
        log.Store.Close();
    }

    [Fact]
    public void The_number_of_segments_has_a_limit()
    {
        BrokerOptions options = TenantHarness.Small with { SegmentsMaximum = 18, LogMaximumAgeMs = 1_000 * 1_000 };
        var log = new TenantHarness(_folder.Path, options);
        for (int n = 0; n < 10_000; n++)
        {
            log.Append(n % 21 == 0 ? "quiet/a" : "hot/b");
            log.Store.Loop.Advance(TimeSpan.FromMilliseconds(10));
        }

        log.Settle();
        Assert.InRange(Directory.GetFiles(Path.Combine(_folder.Path, "g"), "*.log").Length, 5, 18);
        log.Store.Close();
    }

    private string Oldest() => Directory.GetFiles(Path.Combine(_folder.Path, "g"), "*.log").Min(StringComparer.Ordinal)!;

    private static void Damage(string segment)
    {
        using var stream = new FileStream(segment, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        stream.Position = 8_000;
        stream.WriteByte(0xFF);
    }

    /// <summary>Whether a segment's header says that it may have gaps.</summary>
    private static bool IsThinned(string segment)
    {
        using var stream = new FileStream(segment, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        stream.Position = 8;
        return stream.ReadByte() == LogSegment.Schema;
    }

    private static int Failures(TenantHarness log) => (int)log.Store.Store.Counters.Read(BrokerCounter.LogThinningFailures);

    private static int Thinned(TenantHarness log) => (int)log.Store.Store.Counters.Read(BrokerCounter.LogThinned);

    private static LogPosition[] QuietAfterKill(TenantHarness log)
    {
        log.Store.Commit();
        using TempFolder killed = TempFolder.CopyOf(log.Store.Options.DataDirectory);
        var again = new TenantHarness(killed.Path) { All = log.All };
        LogPosition[] quiet = Quiet(again);
        again.Store.Close();
        return quiet;
    }

    private static LogPosition[] Quiet(TenantHarness log) =>
        [.. log.Read(out _).Where(message => message.Topic == "quiet/a").Select(message => message.Position)];

    private TestBroker Broker() => new(
        TenantHarness.Small with { DataDirectory = _folder.Path }, store: (loop, all) => GroupStore.Open("g", all, loop));
}
