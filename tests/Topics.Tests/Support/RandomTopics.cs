using System.Globalization;
using Xunit.Abstractions;

namespace Trunkline.Topics.Tests;

/// <summary>Seeded topics and filters from few levels, so that they meet; the seed is printed and can be given.</summary>
internal sealed class RandomTopics
{
    private static readonly string[] Levels = ["", "a", "b", "ab", "aa", "$", "$SYS", "!", "0", "ü", "{a}", "\u0001", "~"];
    private readonly Random _random;

    public RandomTopics(ITestOutputHelper output, int seed)
    {
        string? given = Environment.GetEnvironmentVariable("TRUNKLINE_TEST_SEED");
        Seed = given is null ? seed : int.Parse(given, CultureInfo.InvariantCulture);
        output.WriteLine($"seed {Seed} (set TRUNKLINE_TEST_SEED to try another)");
        _random = new Random(Seed);
    }

    public int Seed { get; }

    public int Next(int below) => _random.Next(below);

    public void Fill(byte[] bytes) => _random.NextBytes(bytes);

    public string Topic()
    {
        string topic;
        do
        {
            topic = string.Join('/', Enumerable.Range(0, 1 + Next(5)).Select(_ => Level()));
        }
        while (topic.Length == 0);
        return topic;
    }

    /// <summary>Some filter.</summary>
    public string Filter() => FilterFor(Topic());

    /// <summary>A filter that matches a topic, unless it hides topics that begin with $.</summary>
    public string FilterFor(string topic)
    {
        string[] levels = topic.Split('/');
        for (int i = 0; i < levels.Length; i++)
        {
            levels[i] = Next(3) == 0 ? "+" : levels[i];
        }
        int kept = Next(4) == 0 ? Next(levels.Length + 1) : levels.Length + 1;
        return kept > levels.Length ? string.Join('/', levels) : string.Join('/', levels[..kept].Append("#"));
    }

    private string Level() => Levels[Next(Next(2) == 0 ? 4 : Levels.Length)];
}
