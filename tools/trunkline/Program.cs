using System.CommandLine;
using Trunkline.Tool;
using Trunkline.Tool.Suite;
using Trunkline.Tool.Tier;

// ./trunkline builds this program and hands `tier` and `test` on to it.
RootCommand root = new("Trunkline's tool: a whole tier on loopback, and the standing suite.");
root.Subcommands.Add(TierCommand.Create());
root.Subcommands.Add(SuiteCommand.Create());

ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
    {
        await Console.Error.WriteLineAsync($"trunkline: {error.Message}");
    }

    return ExitCodes.Usage;
}

try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (ToolException refusal)
{
    await Console.Error.WriteLineAsync($"trunkline: {refusal.Message}");
    return refusal.ExitCode;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("trunkline: stopped before it was done.");
    return ExitCodes.Interrupted;
}
