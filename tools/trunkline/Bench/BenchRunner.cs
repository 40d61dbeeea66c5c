using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Bench.Peers;
using Trunkline.Tool.Bench.Rows;

namespace Trunkline.Tool.Bench;

/// <summary>Runs rows one after the other. A round in which something was not delivered does not count and is done again.</summary>
internal sealed class BenchRunner(BenchSettings settings, TextWriter progress)
{
    /// <summary>Rounds of one row that may be thrown away before the row counts as failed.</summary>
    private const int MostFaults = 2;

    /// <summary>Runs one row; what goes wrong is in its result.</summary>
    public async Task<RowResult> RunAsync(BenchRow row, CancellationToken cancellation)
    {
        await progress.WriteLineAsync($"{row.Name}: {row.What}");
        long start = settings.Time.GetTimestamp();
        List<string> notes = [.. settings.ProxySettings.Select(setting => $"measured with {setting}")];
        RowResult result;
        try
        {
            IReadOnlyList<RoundValues> rounds = await RoundsAsync(row, notes, cancellation);
            result = rounds.Count > 0
                ? RowResult.Of(row.Name, row.What, row.Goals, rounds, notes)
                : RowResult.Failed(row.Name, row.What, notes);
        }
        catch (Exception error) when (error is ToolException or RoundFault or HttpRequestException or IOException)
        {
            result = RowResult.Failed(row.Name, row.What, [.. notes, error.Message]);
        }

        return result with { Seconds = settings.Time.GetElapsedTime(start).TotalSeconds, At = settings.Time.GetUtcNow() };
    }

    private async Task<IReadOnlyList<RoundValues>> RoundsAsync(BenchRow row, List<string> notes, CancellationToken cancellation)
    {
        await using Stage stage = new(settings);
        RowRun run = new(stage, settings, cancellation);
        await row.PrepareAsync(run);
        List<RoundValues> rounds = [];
        int faults = 0;
        int wanted = Math.Min(settings.Rounds, row.MostRounds);
        while (rounds.Count < wanted)
        {
            RoundValues values = new();
            try
            {
                await row.RoundAsync(run, rounds.Count, values);
            }
            catch (RoundFault fault)
            {
                notes.Add($"a round was thrown away: {fault.Message}");
                await progress.WriteLineAsync($"  thrown away: {fault.Message}");
                if (++faults > MostFaults)
                {
                    return [];
                }

                continue;
            }

            rounds.Add(values);
            await progress.WriteLineAsync($"  {rounds.Count}/{wanted}  {values}");
        }

        return rounds;
    }
}
