using Trunkline.Protocol;
using Xunit.Abstractions;

namespace Trunkline.Links.Tests;

/// <summary>
/// Subscribers that come while messages are being retained, in small pages, on loops that take their turns in any order,
/// over links that are cut: each message comes once, as a retained one or live.
/// </summary>
public sealed class RetainedHistoryTests(ITestOutputHelper output)
{
    private const int Messages = 80;

    [Theory]
    [InlineData(false, 300)]
    [InlineData(true, 300)]
    public void Each_message_comes_once_to_whoever_subscribes_while_it_is_retained(bool cuts, int histories)
    {
        int asRetained = 0;
        int live = 0;
        for (int seed = 1; seed <= histories; seed++)
        {
            TestDevice[] subscribers = Explore(seed, cuts);
            for (int i = 0; i < subscribers.Length; i++)
            {
                string[] wrong = [.. Enumerable.Range(0, Messages).Select(Topic)
                    .GroupJoin(subscribers[i].Received, topic => topic, got => got.Topic, (topic, got) => (Topic: topic, Got: got.ToList()))
                    .Where(each => each.Got.Count != 1)
                    .Select(each => $"{each.Topic} {each.Got.Count} times ({string.Join(", ", each.Got.Select(got => $"{subscribers[i].Received.IndexOf(got)} retain {got.Retain}"))})")];
                Assert.True(wrong.Length == 0, $"seed {seed}, subscriber {i} of {subscribers.Length}: {string.Join("; ", wrong)}");
                asRetained += subscribers[i].Received.Count(got => got.Retain);
                live += subscribers[i].Received.Count(got => !got.Retain);
            }
        }

        output.WriteLine($"{asRetained} came as retained ones, {live} live");
        Assert.True(asRetained > 1_000 && live > 1_000, $"{asRetained} came as retained ones, {live} live: the histories explore too little");
    }

    private static string Topic(int number) => $"r/{number:D2}";

    private static TestDevice[] Explore(int seed, bool cuts)
    {
        var random = new Random(seed);
        var options = new LinkOptions { Seed = seed, RetainedPageBytes = random.Next(2) == 0 ? 256 : 1024, BackoffFirstMs = 50, BackoffMaximumMs = 500, RequestWindow = 1 + random.Next(4) };
        var tier = new TestTier(nodes: 2, options: options);
        TestDevice publisher = tier.Connect("publisher");
        List<TestDevice> subscribers = [];
        int before = random.Next(Messages);
        for (int number = 0; number < Messages; number++)
        {
            publisher.Publish(Topic(number), "kept", QoS.AtLeastOnce, retain: true);
            if (number == before || (number > before && random.Next(8) == 0))
            {
                TestDevice subscriber = tier.Connect(
                    new TestDevice($"s{subscribers.Count}") { ReceiveMaximum = 1 + random.Next(40) }, random.Next(2));
                subscriber.Subscribe("#", QoS.AtLeastOnce);
                subscribers.Add(subscriber);
            }

            if (cuts && random.Next(10) == 0)
            {
                tier.Nodes[random.Next(2)].Connectors[random.Next(2)].CutAll();
            }

            tier.RunRandomTurns(random, random.Next(12));
            if (cuts)
            {
                tier.Time.Advance(TimeSpan.FromMilliseconds(random.Next(60)));
            }
        }

        tier.Advance(20_000);
        Assert.Equal(Messages, publisher.Acknowledged.Count);
        Assert.All(subscribers, subscriber => Assert.False(subscriber.IsClosed));
        return [.. subscribers];
    }
}
