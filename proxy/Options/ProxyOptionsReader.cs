using System.Net;
using Microsoft.Extensions.Configuration;
using Trunkline.Broker;
using Trunkline.Directory;
using Trunkline.Hosting;
using Trunkline.Hosting.Configuration;
using Trunkline.Links;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>Reads the options and finds every error in them at once.</summary>
internal static class ProxyOptionsReader
{
    private const string DirectoryFolder = "directory";

    private static readonly IReadOnlyDictionary<string, string> ShortFlags = new Dictionary<string, string>
    {
        ["--mqtt-port"] = "Default:MqttPort",
        ["--ws-port"] = "Default:WebSocketPort",
        ["--listen"] = "Default:Address",
        ["--management-port"] = "Management:Port",
        ["--groups"] = "EmbeddedGroups",
        ["--data"] = "Broker:DataDirectory",
    };

    /// <summary>Reads all sources. The options can be used when there are no errors.</summary>
    public static (ProxyOptions Options, IReadOnlyList<ConfigurationError> Errors) Read(IReadOnlyList<string> arguments)
    {
        var errors = new List<ConfigurationError>();
        return (Read(ConfigurationSources.Read(arguments, ShortFlags, errors), errors), errors);
    }

    /// <summary>Binds a configuration and completes it; what is wrong is added to <paramref name="errors"/>.</summary>
    internal static ProxyOptions Read(IConfiguration configuration, List<ConfigurationError> errors)
    {
        var binder = new OptionsBinder();
        ProxyOptions bound = binder.Bind<ProxyOptions>(configuration);
        errors.AddRange(binder.Errors);
        errors.AddRange(ValidateDefaults(bound, configuration));
        ProxyOptions options = WithDefaults(bound);
        errors.AddRange(Validate(options));
        return options;
    }

    /// <summary>Settings that only matter where no listeners or groups are named, told of under the names the user knows.</summary>
    private static IEnumerable<ConfigurationError> ValidateDefaults(ProxyOptions options, IConfiguration configuration)
    {
        DefaultListenerOptions defaults = options.Default;
        if (!IPAddress.TryParse(defaults.Address, out _))
        {
            yield return new ConfigurationError("Default:Address", $"\"{defaults.Address}\" is no address.", "Give --listen an IP address, for example 127.0.0.1, or 0.0.0.0 for all.");
        }

        foreach ((string key, int port) in new[] { ("Default:MqttPort", defaults.MqttPort), ("Default:WebSocketPort", defaults.WebSocketPort) })
        {
            if (port is < 0 or > 65_535)
            {
                yield return new ConfigurationError(key, $"is {port}.", "Set a port between 1 and 65535, or 0 for any free one.");
            }
        }

        if (options.EmbeddedGroups is < 1 or > 256)
        {
            yield return new ConfigurationError("EmbeddedGroups", $"is {options.EmbeddedGroups}.", "Set --groups between 1 and 256.");
        }

        if (options.Listeners.Count > 0)
        {
            foreach (IConfigurationSection section in configuration.GetSection("Default").GetChildren())
            {
                yield return new ConfigurationError(section.Path, "has no effect, because Listeners are named.", "Remove one of the two.");
            }
        }

        if (options.Groups.Count > 0 && configuration["EmbeddedGroups"] is not null)
        {
            yield return new ConfigurationError("EmbeddedGroups", "has no effect, because Groups are named.", "Remove one of the two.");
        }
    }

    private static ProxyOptions WithDefaults(ProxyOptions options)
    {
        DefaultListenerOptions defaults = options.Default;
        if (options.Listeners.Count == 0)
        {
            // What cannot be used has been told of; its default lets the rest be checked, too.
            var known = new DefaultListenerOptions();
            IPAddress address = IPAddress.TryParse(defaults.Address, out IPAddress? parsed) ? parsed : IPAddress.Loopback;
            string mqtt = new IPEndPoint(address, IsPort(defaults.MqttPort) ? defaults.MqttPort : known.MqttPort).ToString();
            string webSocket = new IPEndPoint(address, IsPort(defaults.WebSocketPort) ? defaults.WebSocketPort : known.WebSocketPort).ToString();
            options = options with
            {
                Listeners =
                [
                    new ListenerOptions { Name = "mqtt", Type = ListenerType.Tcp, Address = mqtt },
                    new ListenerOptions { Name = "ws", Type = ListenerType.Ws, Address = webSocket },
                ],
            };
        }

        if (options.Directory is { Endpoints.Count: 0, DataDirectory.Length: 0 } && options.Broker.UsesFiles() && options.Broker.DataDirectory.Length > 0)
        {
            // One folder keeps all of it: the groups' logs and the sessions that read them.
            options = options with
            {
                Directory = options.Directory with { DataDirectory = Path.Combine(options.Broker.DataDirectory, DirectoryFolder) },
            };
        }

        if (options.Directory is { DataDirectory.Length: > 0, Commit: null } && options.Broker is { Commit: LogCommit.Always } && options.Broker.UsesFiles())
        {
            // A message that survives a power cut is lost all the same when the session that waits for it does not.
            options = options with { Directory = options.Directory with { Commit = DirectoryCommit.Always } };
        }

        IEnumerable<GroupOptions> groups = options.Groups.Count > 0
            ? options.Groups
            : Enumerable.Repeat(new GroupOptions(), int.Clamp(options.EmbeddedGroups, 1, 256));
        return options with
        {
            Loops = options.Loops == 0 ? int.Min(Environment.ProcessorCount, 2) : options.Loops,
            Node = options.Node.Name.Length > 0
                ? options.Node
                : options.Node with { Name = $"{Dns.GetHostName()}-{Environment.ProcessId}" },
            Listeners = ListenerListCheck.WithNames(options.Listeners),
            Groups = [.. groups.Select((group, n) => group.Name.Length > 0 ? group : group with { Name = $"group-{n}" })],
        };
    }

    private static IEnumerable<ConfigurationError> Validate(CoalescingOptions options)
    {
        if (options.IntervalUs is < 0 or > CoalescingOptions.MostIntervalUs)
        {
            yield return new ConfigurationError("Coalescing:IntervalUs", $"is {options.IntervalUs}.", "Set it between 1 and 1000, or 0 to look for events at once.");
        }

        if (options.EventsPerSecond is < 1_000 or > 1_000_000)
        {
            yield return new ConfigurationError("Coalescing:EventsPerSecond", $"is {options.EventsPerSecond}.", "Set it between 1000 and 1000000.");
        }
    }

    private static IEnumerable<ConfigurationError> Validate(ProxyOptions options)
    {
        if (options.Loops is < 1 or > 64)
        {
            yield return new ConfigurationError("Loops", $"is {options.Loops}.", "Set it between 1 and 64, or 0 for one per core, at most 2.");
        }

        foreach (ConfigurationError error in Validate(options.Coalescing))
        {
            yield return error;
        }

        if (options.LoopSharing.BelowPercent is < 0 or > LoopSharingOptions.MostPercent)
        {
            yield return new ConfigurationError("LoopSharing:BelowPercent", $"is {options.LoopSharing.BelowPercent}.", "Set it between 1 and 90, or 0 to give each loop its own thread at all times.");
        }

        if (options.CloseGraceMs is < 0 or > 60_000)
        {
            yield return new ConfigurationError("CloseGraceMs", $"is {options.CloseGraceMs}.", "Set it between 0 and 60000.");
        }

        foreach ((string key, int interval) in new[]
            { ("Node:CheckpointIntervalMs", options.Node.CheckpointIntervalMs), ("Node:DueIntervalMs", options.Node.DueIntervalMs) })
        {
            if (interval is < 50 or > 60_000)
            {
                yield return new ConfigurationError(key, $"is {interval}.", "Set it between 50 and 60000.");
            }
        }

        if (options.Admission.ConnectsPerSecond is < 0 or > 1_000_000)
        {
            yield return new ConfigurationError("Admission:ConnectsPerSecond", $"is {options.Admission.ConnectsPerSecond}.", "Set it between 1 and 1000000, or 0 to let all in.");
        }

        if (options.Admission.MaximumClaims is < 1 or > 1_000_000)
        {
            yield return new ConfigurationError("Admission:MaximumClaims", $"is {options.Admission.MaximumClaims}.", "Set it between 1 and 1000000.");
        }

        foreach ((string key, int value, int most) in new[]
        {
            ("Node:MaximumDueInMind", options.Node.MaximumDueInMind, 10_000_000),
            ("Node:MaximumNewerWills", options.Node.MaximumNewerWills, 10_000_000),
            ("Admission:MaximumClaimTries", options.Admission.MaximumClaimTries, 100),
        })
        {
            if (value < 1 || value > most)
            {
                yield return new ConfigurationError(key, $"is {value}.", $"Set it between 1 and {most}.");
            }
        }

        if (options.Drain.DevicesPerSecond is < 0 or > 1_000_000)
        {
            yield return new ConfigurationError("Drain:DevicesPerSecond", $"is {options.Drain.DevicesPerSecond}.", "Set it between 1 and 1000000, or 0 to send all away at once.");
        }

        if (options.Drain.MaximumMs is < 0 or > 3_600_000)
        {
            yield return new ConfigurationError("Drain:MaximumMs", $"is {options.Drain.MaximumMs}.", "Set it between 0 and 3600000.");
        }

        if (options.Drain.WillWaitSeconds is < 0 or > 86_400)
        {
            yield return new ConfigurationError("Drain:WillWaitSeconds", $"is {options.Drain.WillWaitSeconds}.", "Set it between 0 and 86400.");
        }

        if (options.Groups.Count > 256)
        {
            yield return new ConfigurationError("Groups", $"are {options.Groups.Count}.", "Name between 1 and 256 groups.");
        }

        if (options.Sharding.KeyLevels is < 0 or > 128)
        {
            yield return new ConfigurationError("Sharding:KeyLevels", $"is {options.Sharding.KeyLevels}.", "Set it between 0 (whole topic) and 128.");
        }

        for (int n = 0; n < options.Groups.Count; n++)
        {
            foreach (ConfigurationError error in ValidateGroup(options.Groups[n], $"Groups:{n}", options.Broker.UsesFiles()).Concat(ValidateLog(options, n)))
            {
                yield return error;
            }
        }

        foreach (IGrouping<string, GroupOptions> same in options.Groups.GroupBy(group => group.Name).Where(same => same.Count() > 1))
        {
            yield return new ConfigurationError("Groups", $"have the name {same.Key} {same.Count()} times.", "Give each a name of its own.");
        }

        foreach (IGrouping<string, GroupOptions> same in options.Groups.Where(group => group.Address.Length > 0)
            .GroupBy(group => group.Address, StringComparer.OrdinalIgnoreCase).Where(same => same.Count() > 1))
        {
            yield return new ConfigurationError("Groups", $"have the address {same.Key} {same.Count()} times.", "One broker is one group; it would get every message of the others, too.");
        }

        var sentences = new List<string>();
        ListenerListCheck.Validate(options.Listeners, sentences);
        sentences.AddRange(options.Mqtt.Validate("Mqtt"));
        sentences.AddRange(options.Links.Validate("Links"));
        sentences.AddRange(options.Broker.Validate("Broker"));
        foreach (string sentence in sentences)
        {
            yield return ConfigurationError.FromSentence(sentence);
        }

        foreach (ConfigurationError error in options.Management.Validate("Management").Concat(options.Memory.Validate("Memory")))
        {
            yield return error;
        }

        foreach (Directory.DirectoryOptionsError error in options.Directory.Validate().Concat(options.Streams.Validate()))
        {
            yield return new ConfigurationError(error.Path, error.Problem, error.Fix);
        }

        if (ClaimThatCannotWait(options) is { } claim)
        {
            yield return claim;
        }
    }

    /// <summary>A CONNECT that comes as a new generation begins waits for the whole grace, and then asks the directory once more.</summary>
    private static ConfigurationError? ClaimThatCannotWait(ProxyOptions options)
    {
        long needed = (long)options.Directory.RecoveringGraceMs + options.Directory.OperationDeadlineMs;
        return options.Directory.Endpoints.Count == 0 || options.Mqtt.ClaimDeadlineMs >= needed
            ? null
            : new ConfigurationError(
                "Mqtt:ClaimDeadlineMs",
                $"is {options.Mqtt.ClaimDeadlineMs}, less than Directory:RecoveringGraceMs and Directory:OperationDeadlineMs together ({needed}), so devices would be refused that only wait for the grace after a new generation.",
                $"Set it to {needed} or more, or the grace lower.");
    }

    private static IEnumerable<ConfigurationError> ValidateGroup(GroupOptions group, string path, bool usesFiles)
    {
        bool isEmbedded = group.Kind == GroupKind.Embedded;
        if (isEmbedded && usesFiles && group.Name == DirectoryFolder)
        {
            yield return new ConfigurationError($"{path}:Name", $"\"{DirectoryFolder}\" is the folder of the sessions.", "Give the group another name.");
        }

        if (isEmbedded && usesFiles && !GroupStore.IsName(group.Name))
        {
            yield return new ConfigurationError($"{path}:Name", $"\"{group.Name}\" cannot be the name of a folder.", GroupStore.NameRule);
        }

        if (isEmbedded && group.Address.Length > 0)
        {
            yield return new ConfigurationError($"{path}:Address", "is set although the group is embedded.", $"Set {path}:Kind to trunkline or foreign, or leave the address out.");
        }

        if (!isEmbedded && !IsHostAndPort(group.Address))
        {
            yield return new ConfigurationError($"{path}:Address", $"\"{group.Address}\" is no host and port.", "Write where its broker listens, for example 10.0.0.7:1883.");
        }

        if (group.CaFile.Length > 0)
        {
            if (!group.Tls)
            {
                yield return new ConfigurationError($"{path}:Tls", "is false, but CaFile is set.", $"Set {path}:Tls to true, or remove CaFile.");
            }

            if ((group.Tls || !File.Exists(group.CaFile)) && TcpConnectorOptions.CheckAuthorities(group.CaFile) is { } problem)
            {
                yield return new ConfigurationError($"{path}:CaFile", problem, "Name a PEM file of certificates.");
            }
        }

        if (group.MaximumFiltersPerLink < 100)
        {
            yield return new ConfigurationError($"{path}:MaximumFiltersPerLink", $"is {group.MaximumFiltersPerLink}.", "Set at least 100.");
        }
    }

    private static IEnumerable<ConfigurationError> ValidateLog(ProxyOptions options, int group)
    {
        if (options.Groups[group].Log != GroupLogKind.Redis)
        {
            yield break;
        }

        if (options.Groups[group].Kind != GroupKind.Foreign)
        {
            yield return new ConfigurationError($"Groups:{group}:Log", "is redis, but only foreign groups keep their log there.", "Leave it out: the group's broker has the log.");
        }
        else if (options.Directory.Endpoints.Count == 0)
        {
            yield return new ConfigurationError($"Groups:{group}:Log", "is redis, but no Redis is named.", "Name the directory's Redis in Directory:Endpoints, or set none.");
        }
    }

    private static bool IsPort(int port) => port is >= 0 and <= 65_535;

    private static bool IsHostAndPort(string address)
    {
        int colon = address.LastIndexOf(':');
        bool isHost = colon > 0 && !address.Any(char.IsWhiteSpace) && !address.Contains('/', StringComparison.Ordinal)
            && (address.IndexOf(':', StringComparison.Ordinal) == colon || (address[0] == '[' && address[colon - 1] == ']'));
        return isHost && ushort.TryParse(address.AsSpan(colon + 1), out ushort port) && port > 0;
    }
}
