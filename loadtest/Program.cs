using Trunkline.Hosting.Configuration;
using Trunkline.Hosting.Management;
using Trunkline.Loadtest;

// One process: the load of one run, or two reports compared.
if (args is ["--version"] or ["version"])
{
    Console.WriteLine(ProgramVersion.Of(typeof(LoadCommand).Assembly));
    return ExitCodes.Success;
}

if (args.Length == 0 || args.Contains("--help") || args[0] == "help")
{
    Console.Write(Help.Text());
    return args.Length == 0 ? ExitCodes.Usage : ExitCodes.Success;
}

try
{
    if (args[0] == "compare")
    {
        return await new CompareCommand(Console.Out, Console.Error).RunAsync(args[1..]);
    }

    using var signals = new StopSignals();
    var command = new LoadCommand(Console.Out, Console.Error, TimeProvider.System);
    return await command.RunAsync(args, isTerminal: !Console.IsErrorRedirected, signals.Token);
}
catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException
    or System.Security.Cryptography.CryptographicException)
{
    await Console.Error.WriteLineAsync($"loadtest: {exception.Message}");
    return ExitCodes.Failure;
}
