using System.Diagnostics;
using System.Globalization;
using System.Text;
using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;
using Xunit.Abstractions;

namespace Trunkline.Broker.Tests.Logs;

/// <summary>
/// What reads by filters of a log in files cost, and its index: a small log in the standing suite; the figures of
/// docs/RELIABILITY.md with TRUNKLINE_LOG_MIB=1024.
/// </summary>
public sealed class FilteredReadCostTests(ITestOutputHelper output)
{
    private const int Devices = 10_000;

    [Fact]
    public void A_read_with_few_matches_looks_at_few_pieces_and_never_holds_the_loop_long()
    {
        int mebibytes = int.Parse(Environment.GetEnvironmentVariable("TRUNKLINE_LOG_MIB") ?? "8", CultureInfo.InvariantCulture);
        using var folder = new TempFolder();
        var broker = new TestBroker(
            new BrokerOptions { DataDirectory = folder.Path, LogMaximumBytes = 2L << 30 }, store: (loop, all) => GroupStore.Open("g", all, loop));
        long messages = Fill(broker, mebibytes * 1024L * 1024);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{broker.Group.Log.Bytes >> 20} MiB, {messages} messages of {Devices} devices: index {broker.Group.Log.IndexBytes / 1024} KiB"));
        Read(broker, "absent");
        foreach (string filter in new[] { "devices/d17/temperature", "devices/d17/#", "+/d17/+", "+/+/alarm", "+/alarm", "absent", "+/+/temperature" })
        {
            (int found, int pages, double all, double longest) = Read(broker, filter);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"pages of {filter}: {found} messages, {pages} pages, {all:F0} ms, longest step {longest:F1} ms"));
        }

        foreach (string filter in new[] { "devices/d17/temperature", "+/+/alarm", "nothing/#" })
        {
            (int found, long reads, double all, double longest) = Resume(broker, filter);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"a link resumes with {filter}: {found} messages, {reads} records read, {all:F0} ms, longest step {longest:F1} ms"));
            Assert.InRange(reads, 0, messages / 2);
        }

        broker.Group.Stop();
    }

    /// <summary>Devices in turn; an alarm once in a hundred thousand messages.</summary>
    private static long Fill(TestBroker broker, long bytes)
    {
        byte[] payload = new byte[100];
        long n = 0;
        for (; broker.Group.Log.Bytes < bytes; n++)
        {
            // Devices report in bursts, so that a piece of the log has a few hundred of them.
            long device = n / 4 % Devices;
            broker.Group.Log.Append(new LogRecord
            {
                Topic = Encoding.UTF8.GetBytes(n % 100_000 == 5_000 ? $"devices/d{device}/alarm" : $"devices/d{device}/temperature"),
                Payload = payload,
                QoS = QoS.AtLeastOnce,
                ExpiresAtMs = long.MaxValue,
            });
            if (n % 10_000 == 0)
            {
                broker.Run();
            }
        }

        TestClient link = broker.Receiver("tail", "tail");
        LoopUntil.Holds(
            broker.Loop,
            () =>
            {
                broker.Advance(500);
                return link.Tails.LastOrDefault()?.Payload == $"p{broker.Tail.Term}:{broker.Tail.Offset}";
            },
            "all is given out");
        link.Break();
        return n;
    }

    private static (int Found, int Pages, double AllMs, double LongestMs) Read(TestBroker broker, string filter)
    {
        TestClient asker = broker.Client();
        (int found, int pages, double longest) = (0, 0, 0);
        string? from = "p0:0";
        var watch = Stopwatch.StartNew();
        while (from is not null)
        {
            int before = asker.Replies.Count;
            long begun = Stopwatch.GetTimestamp();
            asker.Request("$trunkline/log", $"from {from}\nfilter {filter}\nbytes 1048576");
            longest = double.Max(longest, Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            LoopUntil.Holds(broker.Loop, () => asker.Replies.Count > before, "the page is answered");
            Received reply = asker.LastReply;
            found += reply.Page().Count;
            pages++;
            from = reply.Field('c') is null ? null : "p" + reply.Field('p');
            asker.All.Clear();
        }

        return (found, pages, watch.Elapsed.TotalMilliseconds, longest);
    }

    /// <summary>From the oldest message to one that is published now.</summary>
    private static (int Found, long Reads, double AllMs, double LongestMs) Resume(TestBroker broker, string filter)
    {
        long before = broker.Count(BrokerCounter.LogReads);
        TestClient link = broker.ReceiveLink("m");
        link.Subscribe(filter, QoS.AtLeastOnce, 1);
        link.Subscribe("end", QoS.AtLeastOnce, 2);
        link.Hold = true;
        link.Request("$trunkline/resume", "p0:0");
        TestClient publisher = broker.Client();
        publisher.Hold = true;
        publisher.Publish("end", "end");
        double longest = 0;
        var watch = Stopwatch.StartNew();
        while (!link.Messages.Any(message => message.Topic == "end"))
        {
            long begun = Stopwatch.GetTimestamp();
            broker.Loop.RunTurn();
            longest = double.Max(longest, Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }

        link.Hold = false;
        link.Break();
        return (link.Messages.Count - 1, broker.Count(BrokerCounter.LogReads) - before, watch.Elapsed.TotalMilliseconds, longest);
    }
}
