using System.CommandLine;
using System.Text.Json;

namespace Trunkline.Tool.Recovery;

/// <summary>./trunkline recovery: how long devices miss what a killed process carried, measured on a tier of its own.</summary>
internal static class RecoveryCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static Command Create()
    {
        Option<string[]> kills = new("--kill")
        {
            Description = "What dies by kill -9: proxy, broker. Both, one after the other, unless named.",
            DefaultValueFactory = _ => ["proxy", "broker"],
        };
        Option<int> devices = new("--devices") { Description = "Subscribers on the proxy that dies, and as many on another.", DefaultValueFactory = _ => 5000 };
        Option<double> rate = new("--rate") { Description = "QoS 1 messages a second over all devices.", DefaultValueFactory = _ => 2500 };
        Option<int> rounds = new("--rounds") { Description = "Rounds, each with a tier of its own.", DefaultValueFactory = _ => 1 };
        Option<double> away = new("--away") { Description = "Seconds until what was killed is started again.", DefaultValueFactory = _ => 0 };
        Option<int> basePort = new("--base-port") { Description = "First of the 100 ports of the tier.", DefaultValueFactory = _ => 31200 };
        Option<string?> json = new("--json") { Description = "Write the figures to this file." };
        kills.AcceptOnlyFromAmong("proxy", "broker");
        Command command = new("recovery", "Kill a proxy or a broker under load and measure how long its devices miss anything.")
        {
            kills, devices, rate, rounds, away, basePort, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            RecoveryPlan plan = new()
            {
                Devices = parsed.GetValue(devices),
                Rate = parsed.GetValue(rate),
                Away = TimeSpan.FromSeconds(parsed.GetValue(away)),
                BasePort = parsed.GetValue(basePort),
            };
            List<RecoveryFigures> all = [];
            foreach (string killed in (parsed.GetValue(kills) ?? []).Distinct())
            {
                for (int round = 1; round <= parsed.GetValue(rounds); round++)
                {
                    RecoveryFigures figures = await new RecoveryRun(plan, TimeProvider.System).RunAsync(killed, cancellation);
                    Console.WriteLine(figures.ToLine());
                    all.Add(figures);
                }
            }

            if (parsed.GetValue(json) is string file)
            {
                await File.WriteAllTextAsync(file, JsonSerializer.Serialize(all, Json), cancellation);
            }

            return all.All(figures => figures.Faults.Count == 0) ? ExitCodes.Success : ExitCodes.Failure;
        });
        return command;
    }
}
