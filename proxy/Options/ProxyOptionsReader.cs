using System.Net;
using Microsoft.Extensions.Configuration;
using Trunkline.Hosting;
using Trunkline.Hosting.Configuration;
using Trunkline.Links;

namespace Trunkline.Proxy;

/// <summary>Reads the options and finds every error in them at once.</summary>
internal static class ProxyOptionsReader
{
    private static readonly IReadOnlyDictionary<string, string> ShortFlags = new Dictionary<string, string>
    {
        ["--mqtt-port"] = "Default:MqttPort",
        ["--ws-port"] = "Default:WebSocketPort",
        ["--listen"] = "Default:Address",
        ["--management-port"] = "Management:Port",
        ["--groups"] = "EmbeddedGroups",
    };

    /// <summary>Reads all sources. The options can be used when there are no errors.</summary>
    public static (ProxyOptions Options, IReadOnlyList<ConfigurationError> Errors) Read(IReadOnlyList<string> arguments)
    {
        var errors = new List<ConfigurationError>();
        IConfiguration configuration = ConfigurationSources.Read(arguments, ShortFlags, errors);
        var binder = new OptionsBinder();
        ProxyOptions options = WithDefaults(binder.Bind<ProxyOptions>(configuration));
        errors.AddRange(binder.Errors);
        errors.AddRange(Validate(options));
        return (options, errors);
    }

    private static ProxyOptions WithDefaults(ProxyOptions options)
    {
        DefaultListenerOptions defaults = options.Default;
        if (options.Listeners.Count == 0)
        {
            string host = defaults.Address.Contains(':', StringComparison.Ordinal) ? $"[{defaults.Address}]" : defaults.Address;
            options = options with
            {
                Listeners =
                [
                    new ListenerOptions { Name = "mqtt", Type = ListenerType.Tcp, Address = $"{host}:{defaults.MqttPort}" },
                    new ListenerOptions { Name = "ws", Type = ListenerType.Ws, Address = $"{host}:{defaults.WebSocketPort}" },
                ],
            };
        }

        IEnumerable<GroupOptions> groups = options.Groups.Count > 0
            ? options.Groups
            : Enumerable.Repeat(new GroupOptions(), int.Clamp(options.EmbeddedGroups, 0, 256));
        return options with
        {
            Loops = options.Loops == 0 ? int.Min(Environment.ProcessorCount, 2) : options.Loops,
            Node = options.Node.Name.Length > 0
                ? options.Node
                : new NodeOptions { Name = $"{Dns.GetHostName()}-{Environment.ProcessId}" },
            Listeners = [.. options.Listeners.Select((listener, n) =>
                listener.Name.Length > 0 ? listener : listener with { Name = $"{listener.Type.ToString().ToLowerInvariant()}-{n}" })],
            Groups = [.. groups.Select((group, n) => group.Name.Length > 0 ? group : group with { Name = $"group-{n}" })],
        };
    }

    private static IEnumerable<ConfigurationError> Validate(ProxyOptions options)
    {
        if (options.Loops is < 1 or > 64)
        {
            yield return new ConfigurationError("Loops", $"is {options.Loops}.", "Set it between 1 and 64, or 0 for one per core, at most 2.");
        }

        if (options.Groups.Count is < 1 or > 256)
        {
            yield return new ConfigurationError("Groups", $"are {options.Groups.Count}.", "Name between 1 and 256 groups.");
        }

        if (options.Sharding.KeyLevels is < 0 or > 128)
        {
            yield return new ConfigurationError("Sharding:KeyLevels", $"is {options.Sharding.KeyLevels}.", "Set it between 0 (whole topic) and 128.");
        }

        for (int n = 0; n < options.Groups.Count; n++)
        {
            foreach (ConfigurationError error in ValidateGroup(options.Groups[n], $"Groups:{n}"))
            {
                yield return error;
            }
        }

        foreach (IGrouping<string, GroupOptions> same in options.Groups.GroupBy(group => group.Name).Where(same => same.Count() > 1))
        {
            yield return new ConfigurationError("Groups", $"have the name {same.Key} {same.Count()} times.", "Give each a name of its own.");
        }

        var sentences = new List<string>();
        for (int n = 0; n < options.Listeners.Count; n++)
        {
            options.Listeners[n].Validate($"Listeners:{n}", sentences);
        }

        sentences.AddRange(options.Mqtt.Validate("Mqtt"));
        sentences.AddRange(options.Links.Validate("Links"));
        sentences.AddRange(options.Broker.Validate("Broker"));
        foreach (string sentence in sentences)
        {
            yield return ConfigurationError.FromSentence(sentence);
        }

        foreach (ConfigurationError error in options.Management.Validate("Management"))
        {
            yield return error;
        }

        foreach (Directory.DirectoryOptionsError error in options.Directory.Validate())
        {
            yield return new ConfigurationError(error.Path, error.Problem, error.Fix);
        }
    }

    private static IEnumerable<ConfigurationError> ValidateGroup(GroupOptions group, string path)
    {
        bool isEmbedded = group.Kind == GroupKind.Embedded;
        if (isEmbedded && group.Address.Length > 0)
        {
            yield return new ConfigurationError($"{path}:Address", "is set although the group is embedded.", $"Set {path}:Kind to trunkline or foreign, or leave the address out.");
        }

        if (!isEmbedded && !IsHostAndPort(group.Address))
        {
            yield return new ConfigurationError($"{path}:Address", $"\"{group.Address}\" is no host and port.", "Write where its broker listens, for example 10.0.0.7:1883.");
        }

        if (group.CaFile.Length > 0 && !File.Exists(group.CaFile))
        {
            yield return new ConfigurationError($"{path}:CaFile", $"names {group.CaFile}, which does not exist.", "Name a PEM file.");
        }

        if (!group.Log.Equals("none", StringComparison.OrdinalIgnoreCase))
        {
            yield return new ConfigurationError($"{path}:Log", $"\"{group.Log}\" is not in this version.", "Set none: the group serves sessions while they are connected.");
        }

        if (group.MaximumFiltersPerLink < 100)
        {
            yield return new ConfigurationError($"{path}:MaximumFiltersPerLink", $"is {group.MaximumFiltersPerLink}.", "Set at least 100.");
        }
    }

    private static bool IsHostAndPort(string address)
    {
        int colon = address.LastIndexOf(':');
        return colon > 0 && ushort.TryParse(address.AsSpan(colon + 1), out ushort port) && port > 0;
    }
}
