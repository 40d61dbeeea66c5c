using System.Globalization;
using System.Text;
using Trunkline.Tool.Bench.Figures;

namespace Trunkline.Tool.Bench.Report;

/// <summary>The table as Markdown: goal, figure with its spread, verdict.</summary>
internal static class BenchTable
{
    /// <summary>Writes it.</summary>
    public static string Write(BenchReport report)
    {
        StringBuilder text = new();
        Machine machine = report.Machine;
        text.Append(CultureInfo.InvariantCulture, $"Machine: {machine.Processor}, {machine.Cores} cores, {machine.MemoryBytes >> 30} GiB, Linux {machine.Kernel}, {machine.Runtime}\n\n");
        text.Append("| row | goal | figure (least to most) | limit | verdict |\n|---|---|---|---|---|\n");
        foreach (RowResult row in report.Rows)
        {
            if (row.Goals.Count == 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"| {row.Name} | {row.What} | - | - | {row.Verdict} |\n");
            }

            foreach (GoalResult goal in row.Goals)
            {
                text.Append(CultureInfo.InvariantCulture, $"| {row.Name} | {goal.Text} | {Number(goal.Figure, goal.Unit)} ({Number(goal.Least, goal.Unit)} to {Number(goal.Most, goal.Unit)}) | {(goal.Limit is double limit ? Number(limit, goal.Unit) : "-")} | {(goal.Limit is null ? "stated" : goal.IsMet ? "met" : "missed")} |\n");
            }
        }

        text.Append("\n| row | what | medians | rounds, seconds |\n|---|---|---|---|\n");
        foreach (RowResult row in report.Rows)
        {
            string medians = string.Join(", ", row.Values.Select(value => string.Create(CultureInfo.InvariantCulture, $"{value.Key} {new Series(value.Value).Median:G4}")));
            text.Append(CultureInfo.InvariantCulture, $"| {row.Name} | {row.What} | {medians} | {row.Rounds}, {row.Seconds:0} |\n");
        }

        foreach (RowResult row in report.Rows.Where(row => row.Notes.Count > 0))
        {
            foreach (string note in row.Notes)
            {
                text.Append(CultureInfo.InvariantCulture, $"\n{row.Name}: {note}\n");
            }
        }

        return text.ToString();
    }

    /// <summary>One line of what came of all.</summary>
    public static string Closing(BenchReport report) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Count(report, "met")} met, {Count(report, "missed")} missed, {Count(report, "failed")} failed");

    private static int Count(BenchReport report, string verdict) => report.Rows.Count(row => row.Verdict == verdict);

    // Four digits that mean something; a unit that reads without thinking.
    private static string Number(double value, string unit)
    {
        string number = Math.Abs(value) >= 1000
            ? value.ToString("#,0", CultureInfo.InvariantCulture)
            : value.ToString(Math.Abs(value) >= 100 ? "0" : Math.Abs(value) >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);
        return $"{number} {unit}";
    }
}
