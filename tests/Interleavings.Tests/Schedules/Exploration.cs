using System.Globalization;

namespace Trunkline.Interleavings;

/// <summary>Goes through seeds until a history is broken.</summary>
internal static class Exploration
{
    /// <summary>The first broken history at or after a seed; null when there is none among so many.</summary>
    public static History? FindBroken(int first, int count, Rule? without = null, Faults faults = Faults.All, Action<History>? seen = null)
    {
        for (int seed = first; seed < first + count; seed++)
        {
            var history = History.Explore(seed, without, faults);
            seen?.Invoke(history);
            if (history.IsBroken)
            {
                return history;
            }
        }

        return null;
    }

    /// <summary>A number that the environment may set, for runs longer than those of the standing suite.</summary>
    public static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : otherwise;

    /// <summary>Everything somebody needs who has to understand it: the short history, what happened in it, the long one's seed.</summary>
    public static string Explain(History broken)
    {
        History small = Shrinker.Shrink(broken);
        List<string> story = [];
        History.Replay(small.Settings, small.Without, small.Steps, story);
        return $"Seed {broken.Settings.Seed}, {broken.Steps.Count} steps, shrunk to {small.Steps.Count}.\n{small}\n{string.Join('\n', story)}";
    }
}
