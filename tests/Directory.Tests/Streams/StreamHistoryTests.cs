using System.Globalization;
using System.Text;
using Trunkline.Sessions;
using Xunit.Abstractions;
using static Trunkline.Directory.Tests.StreamHarness;

namespace Trunkline.Directory.Tests;

/// <summary>
/// Histories of a group's stream on a real Redis, by a seed: publish links of several nodes append and offer again what
/// they do not know to be appended, messages under ids of their own come by two nodes, connections are cut, Redis is held and
/// killed, and one reader follows the end. What was confirmed is there once, in each link's order, and positions rise.
/// </summary>
public sealed class StreamHistoryTests(ITestOutputHelper output)
{
    private const int Steps = 60;
    private const int Links = 4;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task What_was_confirmed_is_there_once_and_in_order(int seed)
    {
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using RedisServer server = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        await using var harness = new StreamHarness(server);
        GroupStream[] nodes = [await harness.OpenAsync(), await harness.OpenAsync()];
        Producer[] producers = [.. Enumerable.Range(0, Links).Select(n => new Producer(nodes[n % nodes.Length], $"n{n % nodes.Length}/{n}"))];
        List<string> followed = [];
        LogPosition at = LogPosition.None;
        int wills = 0;
        int faults = 0;
        for (int step = 0; step < Steps; step++)
        {
            // Two nodes bring the same will, as two that run due work at once.
            string? will = random.Next(6) == 0 ? $"will:dev:{++wills}" : null;
            Task[] appends = [.. producers.Where(_ => random.Next(3) > 0).Select(producer => producer.AppendAsync(random.Next(1, 6), will))];
            switch (random.Next(8))
            {
                case 0:
                    faults++;
                    await server.CommandAsync("CLIENT KILL TYPE normal SKIPME yes");
                    break;
                case 1:
                    faults++;
                    server.Stop();
                    await Eventually.LastsAsync(TimeSpan.FromMilliseconds(random.Next(20, 200)));
                    server.Continue();
                    break;
                case 2 when step % 3 == 0:
                    faults++;
                    await server.KillAsync();
                    await server.RunAsync();
                    break;
            }

            await Task.WhenAll(appends);
            DirectoryResult<StreamPage> page = await nodes[random.Next(nodes.Length)].ReadAsync(at);
            foreach (StreamMessage message in page.IsOk ? page.Value.Messages : [])
            {
                Assert.True(message.Position > at, $"{message.Position} after {at}");
                at = message.Position;
                followed.Add(Encoding.UTF8.GetString(message.Data.Span));
            }
        }

        // Peace: everything that is not confirmed yet is offered until it is.
        foreach (Producer producer in producers)
        {
            await Eventually.HoldsAsync(
                async () =>
                {
                    await producer.AppendAsync(0, null);
                    return producer.IsConfirmed;
                },
                () => $"{producer.Name} has confirmed what it offered: {producer.Said}");
        }

        List<string> all = await ReadAllAsync(nodes[0]);
        output.WriteLine($"{all.Count} messages, {faults} faults, {producers.Sum(producer => producer.Failures)} appends failed");
        Assert.Equal(all, all.Distinct());
        foreach (Producer producer in producers)
        {
            Assert.Equal(producer.Offered, all.Where(text => text.StartsWith(producer.Name + " ", StringComparison.Ordinal)));
        }

        Assert.Equal(producers.SelectMany(producer => producer.Wills).Distinct().Order(), all.Where(text => text.StartsWith("will", StringComparison.Ordinal)).Order());
        Assert.Equal(all[..followed.Count], followed);
        Assert.True(faults > 5 && producers.Any(producer => producer.Failures > 0), "nothing failed: it explores nothing");
    }

    /// <summary>One publish link: it knows the last number that was confirmed, and offers everything behind it again.</summary>
    private sealed class Producer(GroupStream stream, string name)
    {
        private readonly List<StreamEntry> _entries = [];
        private readonly List<string> _offered = [];
        private readonly List<string> _wills = [];
        private ulong _confirmed;

        public string Name => name;

        public IReadOnlyList<string> Offered => _offered;

        public IReadOnlyList<string> Wills => _wills;

        public int Failures { get; private set; }

        public string Said { get; private set; } = "";

        public bool IsConfirmed => _confirmed == (ulong)_entries.Count;

        public async Task AppendAsync(int messages, string? will)
        {
            for (int i = 0; i < messages; i++)
            {
                string text = string.Create(CultureInfo.InvariantCulture, $"{name} {_offered.Count + 1}");
                _offered.Add(text);
                _entries.Add(new StreamEntry(Encoding.UTF8.GetBytes(text)));
            }

            if (will is not null)
            {
                _wills.Add(will);
                _entries.Add(new StreamEntry(Encoding.UTF8.GetBytes(will), will));
            }

            if (IsConfirmed)
            {
                return;
            }

            DirectoryResult<StreamAppended> result = await stream.AppendAsync(
                new StreamBatch(name, _confirmed, _confirmed + 1, [.. _entries.Skip((int)_confirmed)], LogPosition.None));
            Said = result.Detail;
            if (result.IsOk && !result.Value.IsGap)
            {
                _confirmed = (ulong)_entries.Count;
            }
            else
            {
                Failures++;
            }
        }
    }
}
