using System.Collections;
using Microsoft.Extensions.Configuration;

namespace Trunkline.Hosting.Configuration;

/// <summary>
/// The places a program's settings come from, later ones win: <c>appsettings.json</c> beside the program, the file of
/// <c>--config</c>, <c>TRUNKLINE__Section__Key</c> variables, <c>--Section:Key value</c> and short flags.
/// </summary>
public static class ConfigurationSources
{
    private const string VariablePrefix = "TRUNKLINE__";

    /// <summary>Reads all of them.</summary>
    /// <param name="arguments">The command line, without the subcommand.</param>
    /// <param name="shortFlags">Short flags and the key each stands for, e.g. <c>--groups</c>.</param>
    /// <param name="errors">Takes what is wrong with flags and files.</param>
    public static IConfiguration Read(
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string> shortFlags,
        ICollection<ConfigurationError> errors)
    {
        Dictionary<string, string?> commandLine = ReadArguments(arguments, shortFlags, errors, out string? file);
        var builder = new ConfigurationBuilder();
        AddFile(builder, Path.Combine(AppContext.BaseDirectory, "appsettings.json"), isRequired: false, errors);
        if (file is not null)
        {
            AddFile(builder, Path.GetFullPath(file), isRequired: true, errors);
        }

        builder.AddInMemoryCollection(ReadVariables());
        builder.AddInMemoryCollection(commandLine);
        return builder.Build();
    }

    private static void AddFile(ConfigurationBuilder builder, string file, bool isRequired, ICollection<ConfigurationError> errors)
    {
        if (!File.Exists(file))
        {
            if (isRequired)
            {
                errors.Add(new ConfigurationError("--config", $"There is no file {file}.", "Name one that exists."));
            }

            return;
        }

        try
        {
            // Read apart first, so that a broken file is one error among others and not an exception at the end.
            builder.AddInMemoryCollection(new ConfigurationBuilder().AddJsonFile(file).Build().AsEnumerable());
        }
        catch (Exception exception) when (exception is InvalidDataException or FormatException or IOException)
        {
            errors.Add(new ConfigurationError(
                file, (exception.InnerException ?? exception).Message, "Mend the JSON; comments are allowed, trailing commas too."));
        }
    }

    private static Dictionary<string, string?> ReadVariables()
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable.Key is string name && name.StartsWith(VariablePrefix, StringComparison.OrdinalIgnoreCase))
            {
                values[name[VariablePrefix.Length..].Replace("__", ":", StringComparison.Ordinal)] = (string?)variable.Value;
            }
        }

        return values;
    }

    private static Dictionary<string, string?> ReadArguments(
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string> shortFlags,
        ICollection<ConfigurationError> errors,
        out string? file)
    {
        file = null;
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < arguments.Count; i++)
        {
            string argument = arguments[i];
            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string flag = equals < 0 ? argument : argument[..equals];
            string? key = flag == "--config" ? "" : KeyOf(flag, shortFlags);
            if (key is null)
            {
                string? nearest = NearestName.Of(flag, shortFlags.Keys.Append("--config"));
                errors.Add(new ConfigurationError(
                    flag, "is no flag of this program.", nearest is null ? "Settings are given as --Section:Key value." : $"Did you mean {nearest}?"));
                continue;
            }

            string? value = equals >= 0 ? argument[(equals + 1)..] : i + 1 < arguments.Count ? arguments[++i] : null;
            if (value is null)
            {
                errors.Add(new ConfigurationError(flag, "has no value.", $"Give it as {flag} VALUE."));
            }
            else if (key.Length == 0)
            {
                file = value;
            }
            else
            {
                values[key] = value;
            }
        }

        return values;
    }

    private static string? KeyOf(string flag, IReadOnlyDictionary<string, string> shortFlags)
    {
        if (shortFlags.TryGetValue(flag, out string? key))
        {
            return key;
        }

        bool isKey = flag.StartsWith("--", StringComparison.Ordinal)
            && (flag.Contains(':', StringComparison.Ordinal) || (flag.Length > 2 && char.IsUpper(flag[2])));
        return isKey ? flag[2..] : null;
    }
}
