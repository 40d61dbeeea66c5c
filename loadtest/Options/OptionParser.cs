namespace Trunkline.Loadtest;

/// <summary>Reads the arguments of a run and names every error at once.</summary>
internal static class OptionParser
{
    private static readonly string[] PatternNames = [.. Enum.GetNames<LoadPattern>().Select(name => name.ToLowerInvariant())];

    /// <summary>Reads `PATTERN OPTIONS`. The options can be used when there are no errors.</summary>
    public static (LoadOptions Options, IReadOnlyList<string> Errors) Parse(IReadOnlyList<string> arguments)
    {
        var errors = new List<string>();
        var options = new LoadOptions();
        if (arguments.Count == 0 || Array.IndexOf(PatternNames, arguments[0]) is var pattern && pattern < 0)
        {
            string what = arguments.Count == 0 ? "Nothing" : $"\"{arguments[0]}\"";
            errors.Add($"{what} is not one of {string.Join(", ", PatternNames)}, compare.");
            return (options, errors);
        }

        options = options with { Pattern = (LoadPattern)pattern };
        for (int i = 1; i < arguments.Count;)
        {
            i += Take(arguments, i, ref options, errors);
        }

        if (errors.Count == 0)
        {
            Check(options, errors);
        }

        return (options, errors);
    }

    /// <summary>Takes one option; returns how many arguments it was.</summary>
    private static int Take(IReadOnlyList<string> arguments, int at, ref LoadOptions options, List<string> errors)
    {
        string name = arguments[at];
        string? value = null;
        int used = 1;
        int equals = name.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0 && name.StartsWith("--", StringComparison.Ordinal))
        {
            value = name[(equals + 1)..];
            name = name[..equals];
        }

        OptionSpec? spec = OptionTable.All.FirstOrDefault(candidate => candidate.Names.Contains(name, StringComparer.Ordinal));
        if (spec is null)
        {
            errors.Add($"{name} is no option; --help lists them.");
            return at + 1 < arguments.Count && !arguments[at + 1].StartsWith('-') ? 2 : 1;
        }

        if (value is null && at + 1 < arguments.Count && (spec.Value is not null || arguments[at + 1] is "true" or "false"))
        {
            value = arguments[at + 1];
            used = 2;
        }

        if (value is null && spec.Value is not null)
        {
            errors.Add($"{name} needs a value: {spec.Usage}.");
            return 1;
        }

        try
        {
            options = spec.Apply(options, value ?? "");
        }
        catch (OptionException exception)
        {
            errors.Add($"{name}: {exception.Message}");
        }

        return used;
    }

    /// <summary>What only the whole tells.</summary>
    private static void Check(LoadOptions options, List<string> errors)
    {
        try
        {
            if (options.Targets.Count == 0)
            {
                errors.Add("-h names no target.");
            }
        }
        catch (OptionException exception)
        {
            errors.Add($"-h: {exception.Message}");
        }

        try
        {
            if (options.PublishHosts is not null
                && (options.PublishTargets.Count == 0 || options.Pattern is not (LoadPattern.FanIn or LoadPattern.FanOut or LoadPattern.Pair)))
            {
                errors.Add("--publish-to: names targets of the publishers of fanin, fanout and pair.");
            }
        }
        catch (OptionException exception)
        {
            errors.Add($"--publish-to: {exception.Message}");
        }

        if (options.FailsOver && options.ReconnectDelay is null)
        {
            errors.Add("--failover: lost connections are made again only with --reconnect.");
        }

        if (options.Pattern == LoadPattern.Pair && options.Count < 2)
        {
            errors.Add("-c: a pair takes two clients.");
        }

        if (options.Pattern == LoadPattern.Storm && options.Duration == TimeSpan.Zero)
        {
            errors.Add("-d: a storm needs a time within which all are to come back.");
        }

        if (options.Topic?.IndexOfAny(['#', '+']) >= 0 && options.Publishes)
        {
            errors.Add("-t: a topic to publish to holds no wildcard; --filter may.");
        }

        if (options.Outstanding > 0 && options.Pattern == LoadPattern.Pub)
        {
            errors.Add("--outstanding: pub does not see what is delivered.");
        }

        if (options.FiltersPerClient > 1
            && (options.Pattern != LoadPattern.Conn || (options.Filter ?? options.Topic)?.Contains("%f", StringComparison.Ordinal) != true))
        {
            errors.Add("--filters: only conn takes several filters a client, and --filter must hold %f for their number.");
        }

        if (options.Loops > options.Count)
        {
            errors.Add("--loops: there are fewer clients than loops.");
        }
    }
}
