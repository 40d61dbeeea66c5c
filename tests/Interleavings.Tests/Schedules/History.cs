using System.Text;
using System.Text.RegularExpressions;

namespace Trunkline.Interleavings;

/// <summary>One history and what was wrong in it.</summary>
internal sealed partial record History(Settings Settings, Rule? Without, IReadOnlyList<Step> Steps, IReadOnlyList<string> Violations)
{
    /// <summary>Steps of one history, before it settles.</summary>
    public const int Length = 120;

    public bool IsBroken => Violations.Count > 0;

    /// <summary>What is violated first, without names and numbers: histories of one kind are broken in the same way.</summary>
    public string Kind => IsBroken ? Names().Replace(Violations[0], "").Split('\n')[0] : "";

    public int Messages { get; init; }

    public int Deliveries { get; init; }

    /// <summary>Chooses steps by the seed until something is violated or the history is long enough, then lets the tier settle.</summary>
    public static History Explore(int seed, Rule? without = null, Faults faults = Faults.All)
    {
        // Where everybody runs all the time, each step is long.
        int length = faults switch { Faults.DirectoryStands or Faults.DirectoryAway => Length / 3, Faults.Returns => Length * 2, _ => Length };
        var settings = Settings.Of(seed, faults);
        var steps = new List<Step>();
        return InSteps(settings, without, steps, tier =>
        {
            var source = new StepSource(tier);
            foreach (Step step in source.Begin())
            {
                steps.Add(step);
                tier.Do(step);
            }

            while (steps.Count < length && tier.Ledger.Violations.Count == 0)
            {
                steps.Add(source.Next());
                tier.Do(steps[^1]);
            }

            foreach (Step step in tier.Ledger.Violations.Count == 0 ? source.End() : [])
            {
                steps.Add(step);
                tier.Do(step);
            }
        });
    }

    /// <summary>The same tier by given steps.</summary>
    public static History Replay(Settings settings, Rule? without, IReadOnlyList<Step> steps, List<string>? story = null) => InSteps(settings, without, steps, tier =>
    {
        foreach (Step step in steps)
        {
            tier.Do(step);
            if (tier.Ledger.Violations.Count > 0)
            {
                break;
            }
        }
    }, story);

    /// <summary>The history, for people and for a test.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append($"seed {Settings.Seed}, faults {Settings.Faults}{(Without is null ? "" : $", without {Without}")}: {Settings.Nodes} nodes, {Settings.Groups} groups, subscribers at QoS {string.Join(' ', Settings.Subscribers.Select(qos => (int)qos))}, {(Settings.Members == 0 ? "" : $"the first {Settings.Members} of them members of {string.Join(' ', Settings.ShareFilters)}, ")}{Settings.Publishers} publishers\n");
        foreach (string violation in Violations)
        {
            text.Append("  violated: ").Append(violation).Append('\n');
        }

        foreach (Step step in Steps)
        {
            text.Append("    ").Append(step).Append(",\n");
        }

        return text.ToString();
    }

    [GeneratedRegex("\"[^\"]*\"|[0-9]+")]
    private static partial Regex Names();

    private static History InSteps(Settings settings, Rule? without, IReadOnlyList<Step> steps, Action<ModelTier> act, List<string>? story = null)
    {
        // Whatever is awaited goes on where it is completed: the model is alone on this thread.
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        using var tier = new ModelTier(settings, without, story);
        try
        {
            act(tier);
            if (tier.Ledger.Violations.Count == 0)
            {
                tier.Settle();
            }
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // A fault in the code under test is a finding like any other.
            tier.Ledger.Violate($"threw {exception}");
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }

        return new History(settings, without, steps, tier.Ledger.Violations) { Messages = tier.Ledger.Messages, Deliveries = tier.Ledger.Deliveries };
    }
}
