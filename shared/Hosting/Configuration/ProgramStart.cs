using System.Reflection;

namespace Trunkline.Hosting.Configuration;

/// <summary>What both programs do with a command line before they run: version, help, check.</summary>
public static class ProgramStart
{
    /// <summary>Reads the options and runs the program with them, unless <see cref="Decide"/> says that it shall not run; its exit code.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="program">Whose version <c>--version</c> prints.</param>
    /// <param name="help">What <c>--help</c> prints.</param>
    /// <param name="read">Reads the configuration and returns what is wrong with it.</param>
    /// <param name="look">What of the machine a <c>check</c> looks at when the configuration is sound: what a start finds out by itself.</param>
    /// <param name="run">Runs until asked to stop.</param>
    /// <typeparam name="TOptions">The program's options.</typeparam>
    public static async Task<int> RunAsync<TOptions>(
        IReadOnlyList<string> arguments,
        Assembly program,
        string help,
        Func<IReadOnlyList<string>, (TOptions Options, IReadOnlyList<ConfigurationError> Errors)> read,
        Func<TOptions, IEnumerable<ConfigurationError>> look,
        Func<TOptions, Task<int>> run)
        where TOptions : class
    {
        TOptions? options = null;
        int? exitCode = Decide(
            arguments,
            ProgramVersion.Of(program),
            help,
            rest =>
            {
                (options, IReadOnlyList<ConfigurationError> errors) = read(rest);
                return errors.Count == 0 && rest.Count < arguments.Count ? [.. look(options)] : errors;
            },
            Console.Out,
            Console.Error);
        return exitCode ?? await run(options!);
    }

    /// <summary>
    /// The exit code when the program shall not run: 0 after <c>--version</c>, <c>--help</c> and a <c>check</c> without
    /// errors, 2 when the configuration has errors. Null when it shall run.
    /// </summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="version">The program's version.</param>
    /// <param name="help">What <c>--help</c> prints.</param>
    /// <param name="errors">Reads the configuration and returns what is wrong with it.</param>
    /// <param name="output">Standard output.</param>
    /// <param name="errorOutput">Standard error.</param>
    public static int? Decide(
        IReadOnlyList<string> arguments,
        string version,
        string help,
        Func<IReadOnlyList<string>, IReadOnlyList<ConfigurationError>> errors,
        TextWriter output,
        TextWriter errorOutput)
    {
        string first = arguments.Count > 0 ? arguments[0] : "";
        if (first is "--version" or "version")
        {
            output.WriteLine(version);
            return 0;
        }

        // Wherever it stands: who asks for help behind other flags wants no complaint about them.
        if (first == "help" || arguments.Any(argument => argument is "--help" or "-h"))
        {
            output.WriteLine(help);
            return 0;
        }

        bool isCheck = first == "check";
        if (ConfigurationError.Report(errors(isCheck ? [.. arguments.Skip(1)] : arguments), errorOutput))
        {
            return 2;
        }

        if (!isCheck)
        {
            return null;
        }

        output.WriteLine("The configuration is sound.");
        return 0;
    }
}
