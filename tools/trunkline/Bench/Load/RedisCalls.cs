using System.Globalization;
using Trunkline.Tool.Parts;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Bench.Load;

/// <summary>What a Redis has done since it started, as it counts itself (INFO commandstats).</summary>
/// <param name="Scripts">Calls of scripts: what came over the network from a directory.</param>
/// <param name="Commands">All commands, with those inside scripts.</param>
internal readonly record struct RedisCalls(double Scripts, double Commands)
{
    private const string Prefix = "cmdstat_";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Asks a server.</summary>
    public static async Task<RedisCalls> ReadAsync(Part server, CancellationToken cancellation)
    {
        string answer = await RedisQuestion.AskAsync(server, "INFO commandstats", Patience, cancellation);
        return Parse(answer) is { Commands: > 0 } calls ? calls : throw new RoundFault($"{server.Name} did not say what it did: {answer}");
    }

    /// <summary>Reads the answer.</summary>
    public static RedisCalls Parse(string answer)
    {
        double scripts = 0;
        double commands = 0;
        foreach (string line in answer.Split('\n').Where(line => line.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            int start = line.IndexOf("calls=", StringComparison.Ordinal) + "calls=".Length;
            double calls = double.Parse(line[start..line.IndexOf(',', start)], CultureInfo.InvariantCulture);
            commands += calls;
            scripts += line.StartsWith(Prefix + "eval", StringComparison.Ordinal) ? calls : 0;
        }

        return new RedisCalls(scripts, commands);
    }

    /// <summary>What it does in a second while nobody asks for anything but leases and due work.</summary>
    public static async Task<RedisCalls> IdleAsync(Part server, double seconds, TimeProvider time, CancellationToken cancellation)
    {
        RedisCalls before = await ReadAsync(server, cancellation);
        long start = time.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(seconds), time, cancellation);
        RedisCalls after = await ReadAsync(server, cancellation);
        double took = time.GetElapsedTime(start).TotalSeconds;
        return new RedisCalls((after.Scripts - before.Scripts) / took, (after.Commands - before.Commands) / took);
    }

    /// <summary>What one message cost: between two readings, without what the same time costs anyway.</summary>
    public static RedisCalls PerMessage(RedisCalls before, RedisCalls after, RedisCalls idlePerSecond, double seconds, double messages) => new(
        Math.Max(0, after.Scripts - before.Scripts - (idlePerSecond.Scripts * seconds)) / messages,
        Math.Max(0, after.Commands - before.Commands - (idlePerSecond.Commands * seconds)) / messages);
}
