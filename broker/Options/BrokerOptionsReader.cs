using Microsoft.Extensions.Configuration;
using Trunkline.Broker;
using Trunkline.Hosting;
using Trunkline.Hosting.Configuration;

namespace Trunkline.BrokerProcess;

/// <summary>Reads the options and finds every error in them at once.</summary>
internal static class BrokerOptionsReader
{
    private static readonly IReadOnlyDictionary<string, string> ShortFlags = new Dictionary<string, string>
    {
        ["--management-port"] = "Management:Port",
        ["--group"] = "Group",
        ["--data"] = "Broker:DataDirectory",
    };

    /// <summary>Reads all sources. The options can be used when there are no errors.</summary>
    public static (BrokerProcessOptions Options, IReadOnlyList<ConfigurationError> Errors) Read(IReadOnlyList<string> arguments)
    {
        var errors = new List<ConfigurationError>();
        return (Read(ConfigurationSources.Read(arguments, ShortFlags, errors), errors), errors);
    }

    /// <summary>What is wrong with the folder that a broker with these options would use.</summary>
    public static IEnumerable<ConfigurationError> Look(BrokerProcessOptions options) =>
        options.Broker.UsesFiles() && DataFolderCheck.Find("Broker:DataDirectory", Path.Combine(options.Broker.DataDirectory, options.Group)) is { } error ? [error] : [];

    /// <summary>Binds a configuration and completes it; what is wrong is added to <paramref name="errors"/>.</summary>
    internal static BrokerProcessOptions Read(IConfiguration configuration, List<ConfigurationError> errors)
    {
        var binder = new OptionsBinder();
        BrokerProcessOptions options = binder.Bind<BrokerProcessOptions>(configuration);
        if (options.Listeners.Count == 0)
        {
            options = options with { Listeners = [new ListenerOptions { Name = "mqtt", Address = "127.0.0.1:1884" }] };
        }

        options = options with { Listeners = ListenerListCheck.WithNames(options.Listeners) };
        errors.AddRange(binder.Errors);
        errors.AddRange(options.Management.Validate("Management"));
        errors.AddRange(options.Memory.Validate("Memory"));
        var sentences = new List<string>();
        ListenerListCheck.Validate(options.Listeners, sentences);
        sentences.AddRange(options.Mqtt.Validate("Mqtt"));
        sentences.AddRange(options.Broker.Validate("Broker"));
        errors.AddRange(sentences.Select(ConfigurationError.FromSentence));
        if (options.Group.Length == 0)
        {
            errors.Add(new ConfigurationError("Group", "is empty.", "Name the group this broker is, for example group-0."));
        }

        else if (options.Broker.UsesFiles() && !GroupStore.IsName(options.Group))
        {
            errors.Add(new ConfigurationError("Group", $"\"{options.Group}\" cannot be the name of a folder.", GroupStore.NameRule));
        }

        if (options.CloseGraceMs is < 0 or > 60_000)
        {
            errors.Add(new ConfigurationError("CloseGraceMs", $"is {options.CloseGraceMs}.", "Set it between 0 and 60000."));
        }

        return options;
    }
}
