using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Broker.Tests.Support;

namespace Trunkline.Broker.Tests.Store;

/// <summary>FAULTS 13: a disk that does not give back what it was given is asked again; who reads there waits, for a named time.</summary>
public sealed class UnreadableTests : IDisposable
{
    private const int Messages = 60;
    private readonly TempFolder _folder = new();
    private readonly FailingDisk _disk = new();
    private readonly TestBroker _broker;
    private GroupStore? _store;

    public UnreadableTests()
    {
        BrokerOptions options = StoreHarness.Small with
        {
            Store = LogStore.File,
            DataDirectory = _folder.Path,
            LogReadWaitMs = 10_000,
        };
        _broker = new TestBroker(options, store: (loop, all) => _store = GroupStore.Open("g", all, loop, NullLogger.Instance, _disk));
        TestClient publisher = _broker.PublishLink("n");
        for (int i = 1; i <= Messages; i++)
        {
            publisher.Publish("a", $"{i} {new string('x', 1_000)}", tl: $"n{i}");
            LoopUntil.Holds(_broker.Loop, () => publisher.Acknowledged.Count == i, $"{i} is acknowledged");
        }
    }

    public void Dispose()
    {
        _broker.Group.Stop();
        _folder.Dispose();
    }

    [Fact]
    public void A_failure_that_passes_holds_a_link_up_and_loses_nothing()
    {
        _disk.FailingReads = 4;
        TestClient link = _broker.Receiver("m", "p0:0", "a");
        AwaitReads(1);
        Assert.Empty(link.Payloads);
        Until(() => link.Payloads.Length == Messages, "everything is there");
        Assert.Equal(Enumerable.Range(1, Messages), link.Payloads.Select(Number));
        Assert.Equal(0, _broker.Count(BrokerCounter.LinkLosses));
        Assert.Equal(0, _broker.Count(BrokerCounter.LogUnreadableBlocks));
        Assert.Equal(4, _broker.Count(BrokerCounter.LogReadFailures));
    }

    [Fact]
    public void A_failure_that_lasts_is_passed_over_at_the_limit_with_the_loss_counted_and_served_when_it_can_be_read_again()
    {
        // Of the first piece alone: later ones are read when this one is given up.
        _disk.FailingReads = -1;
        TestClient link = _broker.Receiver("m", "p0:0", "a");
        long begun = _broker.Loop.NowMs;
        Until(() => _broker.Count(BrokerCounter.LogUnreadableBlocks) == 1, "the first piece is given up");
        Assert.InRange(_broker.Loop.NowMs - begun, 10_000, 12_000);
        Assert.InRange(_broker.Count(BrokerCounter.LogReadFailures), 5, 9);
        _disk.FailingReads = 0;
        Until(() => link.Payloads.Length > 0 && Number(link.Payloads[^1]) == Messages, "the rest is there");
        int lost = Messages - link.Payloads.Length;
        Assert.InRange(lost, 1, 4);
        Assert.Equal(lost, _broker.Count(BrokerCounter.LogMessagesLost));
        Assert.Equal(1, _broker.Count(BrokerCounter.LinkLosses));

        // At once it is not read again; a minute later it is, and nothing is missing any more.
        int reads = _disk.Reads;
        TestClient soon = _broker.Receiver("s", "p0:0", "a");
        Until(() => soon.Payloads.Length > 0 && Number(soon.Payloads[^1]) == Messages, "the rest is there");
        Assert.Equal(Messages - lost, soon.Payloads.Length);
        _broker.Advance((int)BlockCache.GivenUpRetryMs);
        TestClient later = _broker.Receiver("l", "p0:0", "a");
        Until(() => later.Payloads.Length > 0 && Number(later.Payloads[^1]) == Messages, "everything is there");
        Assert.Equal(Messages, later.Payloads.Length);
        Assert.True(_disk.Reads > reads);
        Assert.Equal(1, _broker.Count(BrokerCounter.LogUnreadableBlocks));
    }

    [Fact]
    public void What_is_given_up_and_cannot_be_read_a_minute_later_either_holds_nobody_up_for_the_time_anew()
    {
        _disk.FailingReads = -1;
        TestClient link = _broker.Receiver("m", "p0:0", "a");
        Until(() => _broker.Count(BrokerCounter.LogUnreadableBlocks) == 1, "the first piece is given up");
        link.Disconnect();

        // Once everything behind it was read, no other read is under way that could take the failure below.
        _disk.FailingReads = 0;
        TestClient soon = _broker.Receiver("s", "p0:0", "a");
        Until(() => soon.Payloads.Length > 0 && Number(soon.Payloads[^1]) == Messages, "the rest is there");
        _broker.Advance((int)BlockCache.GivenUpRetryMs);
        _disk.FailingReads = 1;
        long begun = _broker.Loop.NowMs;
        TestClient later = _broker.Receiver("l", "p0:0", "a");
        Until(() => later.Payloads.Length > 0 && Number(later.Payloads[^1]) == Messages, "the rest is there");
        Assert.InRange(_broker.Loop.NowMs - begun, 0, 9_000);
        Assert.InRange(Messages - later.Payloads.Length, 1, 8);
    }

    /// <summary>A page waits while the piece may yet be read, and says "lost" when it is given up.</summary>
    [Fact]
    public void A_page_waits_and_then_tells_the_loss()
    {
        _disk.FailingReads = -1;
        TestClient reader = _broker.ReceiveLink("m");
        reader.Request("$trunkline/log", "from p0:0\nfilter a");
        Assert.Empty(reader.Replies);
        Until(() => reader.Replies.Count == 1, "the page is answered");
        Assert.Equal(1, _broker.Count(BrokerCounter.LogUnreadableBlocks));
        Assert.Contains("elost", reader.LastReply.Tl, StringComparison.Ordinal);
    }

    private static int Number(string payload) => int.Parse(payload.Split(' ')[0], null);

    private void AwaitReads(int reads) => LoopUntil.Holds(_broker.Loop, () => _disk.Reads >= reads, "the disk is read");

    private void Until(Func<bool> condition, string what) => LoopUntil.Holds(
        _broker.Loop,
        () =>
        {
            // Time passes for what waits, not for a read that is slow to come round.
            if (!condition() && _store!.IsIdle)
            {
                _broker.Advance(100);
            }

            return condition();
        },
        what);
}
