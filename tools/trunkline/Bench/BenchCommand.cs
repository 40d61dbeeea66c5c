using System.CommandLine;
using System.Globalization;
using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Peers;
using Trunkline.Tool.Bench.Report;
using Trunkline.Tool.Bench.Rows;

namespace Trunkline.Tool.Bench;

/// <summary>./trunkline bench: the goal table from one command.</summary>
internal static class BenchCommand
{
    private static readonly Option<int> Rounds = new("--rounds") { Description = "Rounds of each row; medians count.", DefaultValueFactory = _ => 5 };
    private static readonly Option<string> Set = new("--set")
    {
        Description = "speed: the goals of speed and size (docs/PERFORMANCE.md). reliability: what keeping messages and sessions costs (docs/RELIABILITY.md).",
        DefaultValueFactory = _ => "speed",
    };

    private static readonly Option<string[]> Rows = new("--row") { Description = "Only this row, or all that begin with it and a dash. Repeatable." };
    private static readonly Option<string?> Json = new("--json") { Description = "Write the table as JSON. A file that is there keeps the rows that are not measured now." };
    private static readonly Option<string?> FlashMq = new("--flashmq") { Description = "FlashMQ's binary, the peer of fan-out." };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "Measured seconds of one side of a round.", DefaultValueFactory = _ => 4 };
    private static readonly Option<int> Devices = new("--devices") { Description = "Devices of the rows about many devices.", DefaultValueFactory = _ => 19_000 };
    private static readonly Option<int> BasePort = new("--base-port") { Description = "First of the 200 ports on 127.0.0.1 that a bench uses.", DefaultValueFactory = _ => 22_000 };
    private static readonly Option<string[]> ProxySettings = new("--proxy-set") { Description = "A setting for every proxy, to try something out: Section:Key=value. Repeatable; the rows say so." };
    private static readonly Option<bool> List = new("--list") { Description = "Name the rows and their goals, measure nothing." };
    private static readonly Option<string?> Show = new("--show") { Description = "Print the table of a JSON file, measure nothing." };

    private static readonly Option<string?> Micro = new("--micro")
    {
        Description = "Run BenchmarkDotNet instead: codec, filter index, session, links and dispatch, with what they allocate; FILTER is a part of a name.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Create()
    {
        Command bench = new("bench", "Measure the goals of speed and size against peers on this machine. Exit code 1 when a goal is missed.")
        {
            Set, Rounds, Rows, Json, FlashMq, Seconds, Devices, BasePort, ProxySettings, List, Show, Micro,
        };
        Set.AcceptOnlyFromAmong("speed", "reliability");
        bench.SetAction(RunAsync);
        return bench;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetResult(Micro) is not null)
        {
            return await MicroBenchmarks.RunAsync(parsed.GetValue(Micro), cancellation);
        }

        IReadOnlyList<BenchRow> all = parsed.GetValue(Set) == "reliability" ? RowList.Reliability() : RowList.All();
        if (parsed.GetValue(Show) is string shown)
        {
            return Print(BenchReport.Load(shown).InOrder([.. all.Select(row => row.Name)]));
        }

        IReadOnlyList<BenchRow> rows = RowList.Select(all, parsed.GetValue(Rows) ?? []);
        if (parsed.GetValue(List))
        {
            foreach (BenchRow row in rows)
            {
                Console.WriteLine($"{row.Name}: {row.What}: {string.Join("; ", row.Goals.Select(goal => goal.Text))}");
            }

            return ExitCodes.Success;
        }

        BenchSettings settings = SettingsOf(parsed);
        string? file = parsed.GetValue(Json);
        BenchReport report = file is not null && File.Exists(file)
            ? BenchReport.Load(file) with { Machine = Machine.Read() }
            : new BenchReport { Machine = Machine.Read() };
        string commit = await Commit.ReadAsync(cancellation);
        BenchRunner runner = new(settings, Console.Error);
        foreach (BenchRow row in rows)
        {
            RowResult result = await runner.RunAsync(row, cancellation);
            report = report.With(result with { Commit = commit });
            await Console.Error.WriteLineAsync($"  {result.Verdict} after {result.Seconds.ToString("0", CultureInfo.InvariantCulture)} s");
            if (file is not null)
            {
                await File.WriteAllTextAsync(file, report.InOrder([.. all.Select(known => known.Name)]).ToJson(), cancellation);
            }
        }

        return Print(report.InOrder([.. all.Select(row => row.Name)]));
    }

    private static BenchSettings SettingsOf(ParseResult parsed)
    {
        int port = parsed.GetValue(BasePort);
        if (port is < 1024 or > 65535 - PeerPorts.Span)
        {
            throw new ToolException($"--base-port {port} does not do: a bench takes the {PeerPorts.Span} ports from there.", ExitCodes.Usage);
        }

        if (parsed.GetValue(Rounds) < 1 || parsed.GetValue(Seconds) < 0.5 || parsed.GetValue(Devices) < 100)
        {
            throw new ToolException("A bench needs at least 1 round, 0.5 seconds and 100 devices.", ExitCodes.Usage);
        }

        return new BenchSettings
        {
            Rounds = parsed.GetValue(Rounds),
            Seconds = parsed.GetValue(Seconds),
            Devices = parsed.GetValue(Devices),
            ProxySettings = parsed.GetValue(ProxySettings) ?? [],
            FlashMq = parsed.GetValue(FlashMq),
            Ports = new PeerPorts(port),
            Folder = Path.Combine(Repository.Root, ".tier", string.Create(CultureInfo.InvariantCulture, $"bench-{port}")),
        };
    }

    private static int Print(BenchReport report)
    {
        Console.WriteLine(BenchTable.Write(report));
        Console.WriteLine(BenchTable.Closing(report));
        return report.Rows.All(row => row.Verdict == "met") ? ExitCodes.Success : ExitCodes.Failure;
    }
}
