using System.Collections;
using Microsoft.Extensions.Configuration;

namespace Trunkline.Hosting.Configuration;

/// <summary>
/// The places a program's settings come from, later ones win: <c>appsettings.json</c> beside the program, the file of
/// <c>--config</c>, <c>TRUNKLINE__Section__Key</c> variables, <c>--Section:Key value</c> and short flags. How they are laid
/// over each other is <see cref="SettingsMerge"/>'s.
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
        ICollection<ConfigurationError> errors) =>
        Read(arguments, shortFlags, new ConfigurationPlaces(AppContext.BaseDirectory, Environment.GetEnvironmentVariables()), errors);

    /// <summary>Reads all of them from places of the caller's choice.</summary>
    internal static IConfiguration Read(
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string> shortFlags,
        ConfigurationPlaces places,
        ICollection<ConfigurationError> errors)
    {
        Dictionary<string, string?> commandLine = ReadArguments(arguments, shortFlags, errors, out string? file);
        var merge = new SettingsMerge();
        AddFile(merge, Path.Combine(places.ProgramFolder, "appsettings.json"), isRequired: false, errors);
        if (file is not null)
        {
            AddFile(merge, Path.GetFullPath(file), isRequired: true, errors);
        }

        merge.Add(ReadVariables(places.Variables));
        merge.Add(commandLine);
        return new ConfigurationBuilder().AddInMemoryCollection(merge.Settings).Build();
    }

    private static void AddFile(SettingsMerge merge, string file, bool isRequired, ICollection<ConfigurationError> errors)
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
            merge.Add([.. new ConfigurationBuilder().AddJsonFile(file).Build().AsEnumerable()]);
        }
        catch (Exception exception) when (exception is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            errors.Add(new ConfigurationError(
                file, (exception.InnerException?.InnerException ?? exception.InnerException ?? exception).Message, "Mend the JSON; comments are allowed, trailing commas too."));
        }
    }

    private static Dictionary<string, string?> ReadVariables(IDictionary variables)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (DictionaryEntry variable in variables)
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
                if (equals < 0 && flag.StartsWith("--", StringComparison.Ordinal) && !IsFlag(arguments, i + 1))
                {
                    // Its value is no second error.
                    i++;
                }

                continue;
            }

            string? value = equals >= 0 ? argument[(equals + 1)..] : IsFlag(arguments, i + 1) ? null : arguments[++i];
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

    /// <summary>Whether a flag, or nothing at all, stands there instead of a value.</summary>
    private static bool IsFlag(IReadOnlyList<string> arguments, int i) =>
        i >= arguments.Count || arguments[i].StartsWith("--", StringComparison.Ordinal);

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

/// <summary>Where settings are read from besides the command line.</summary>
/// <param name="ProgramFolder">The folder of <c>appsettings.json</c>.</param>
/// <param name="Variables">The environment.</param>
internal sealed record ConfigurationPlaces(string ProgramFolder, IDictionary Variables);
