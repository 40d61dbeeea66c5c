using System.CommandLine;
using System.CommandLine.Help;
using System.Runtime.InteropServices;
using Trunkline.Tool;
using Trunkline.Tool.Bench;
using Trunkline.Tool.Bench.Floor;
using Trunkline.Tool.Chaos;
using Trunkline.Tool.Host;
using Trunkline.Tool.Recovery;
using Trunkline.Tool.Suite;
using Trunkline.Tool.Tier;

// ./trunkline builds this program and hands `tier`, `test`, `chaos`, `recovery`, `bench` and `check host` on to it.
// Help and errors name commands as people type them, so the root is called what they call.
Command root = new("./trunkline", "Trunkline's tool: a whole tier on loopback, the standing suite, chaos and the bench.") { new HelpOption() };
root.Subcommands.Add(TierCommand.Create());
root.Subcommands.Add(SuiteCommand.Create());
root.Subcommands.Add(ChaosCommand.Create());
root.Subcommands.Add(RecoveryCommand.Create());
root.Subcommands.Add(BenchCommand.Create());
root.Subcommands.Add(TlsFloorCommand.Create());
root.Subcommands.Add(HostCommand.Create());

ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (string error in CommandErrors.Of(parsed))
    {
        await Console.Error.WriteLineAsync($"trunkline: {error}");
    }

    return ExitCodes.Usage;
}

// A signal cancels, and what was started is stopped before this process ends, however long that takes: the library's
// own handling would give it two seconds.
using CancellationTokenSource interrupted = new();
void Interrupt(PosixSignalContext signal)
{
    signal.Cancel = true;
    interrupted.Cancel();
}

using PosixSignalRegistration onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
using PosixSignalRegistration onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
using PosixSignalRegistration onHangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Interrupt);

try
{
    InvocationConfiguration configuration = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
    return await parsed.InvokeAsync(configuration, interrupted.Token);
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
