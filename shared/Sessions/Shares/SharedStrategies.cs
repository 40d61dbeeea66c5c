using System.Text;

namespace Trunkline.Sessions;

/// <summary>Which strategy a share has, by its name: the first rule that fits, else the one for all. Immutable.</summary>
public sealed class SharedStrategies
{
    private readonly (string Name, bool IsPrefix, SharedStrategy Strategy)[] _rules;
    private readonly SharedStrategy _other;

    private SharedStrategies((string Name, bool IsPrefix, SharedStrategy Strategy)[] rules, SharedStrategy other)
    {
        _rules = rules;
        _other = other;
        NeedsPublisher = other == SharedStrategy.HashClient || rules.Any(rule => rule.Strategy == SharedStrategy.HashClient);
    }

    /// <summary>Whether any share wants to know who published.</summary>
    public bool NeedsPublisher { get; }

    /// <summary>The word of a strategy, in options and between links and our broker.</summary>
    public static string NameOf(SharedStrategy strategy) => strategy switch
    {
        SharedStrategy.Random => "random",
        SharedStrategy.LeastInFlight => "least-in-flight",
        SharedStrategy.Sticky => "sticky",
        SharedStrategy.HashClient => "hash-client",
        SharedStrategy.HashTopic => "hash-topic",
        _ => "round-robin",
    };

    /// <summary>The strategy of a word; false when there is none.</summary>
    public static bool TryParseName(ReadOnlySpan<char> name, out SharedStrategy strategy)
    {
        foreach (SharedStrategy candidate in Enum.GetValues<SharedStrategy>())
        {
            if (name.SequenceEqual(NameOf(candidate)))
            {
                strategy = candidate;
                return true;
            }
        }

        strategy = default;
        return false;
    }

    /// <summary>
    /// Reads rules: <c>name=strategy</c>, separated by commas; a name that ends with * fits every name that begins so. Null
    /// when one is malformed.
    /// </summary>
    /// <param name="rules">The rules; empty for none.</param>
    /// <param name="other">The strategy of every other share.</param>
    public static SharedStrategies? TryParse(string rules, SharedStrategy other)
    {
        ArgumentNullException.ThrowIfNull(rules);
        var read = new List<(string, bool, SharedStrategy)>();
        foreach (string rule in rules.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int equals = rule.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !TryParseName(rule.AsSpan(equals + 1).Trim(), out SharedStrategy strategy))
            {
                return null;
            }

            string name = rule[..equals].Trim();
            bool isPrefix = name.EndsWith('*');
            read.Add((isPrefix ? name[..^1] : name, isPrefix, strategy));
        }

        return new SharedStrategies([.. read], other);
    }

    /// <summary>The strategy of a share.</summary>
    public SharedStrategy Of(ReadOnlySpan<byte> shareName)
    {
        if (_rules.Length == 0)
        {
            return _other;
        }

        string text = Encoding.UTF8.GetString(shareName);
        foreach ((string name, bool isPrefix, SharedStrategy strategy) in _rules)
        {
            if (isPrefix ? text.StartsWith(name, StringComparison.Ordinal) : text == name)
            {
                return strategy;
            }
        }

        return _other;
    }
}
