using System.Text.Json;
using Trunkline.Tool.Bench.Figures;

namespace Trunkline.Tool.Bench.Report;

/// <summary>What --json writes. Field names are a contract.</summary>
internal sealed record BenchReport
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Grows when fields change their meaning.</summary>
    public int Format { get; init; } = 1;

    /// <summary>The machine.</summary>
    public required Machine Machine { get; init; }

    /// <summary>Its rows.</summary>
    public IReadOnlyList<RowResult> Rows { get; init; } = [];

    /// <summary>Reads one; throws a sentence when the file is none.</summary>
    public static BenchReport Load(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<BenchReport>(File.ReadAllText(file), Json) ?? throw new JsonException("it is empty");
        }
        catch (JsonException error)
        {
            throw new ToolException($"{file} is no report of bench --json: {error.Message}");
        }
    }

    /// <summary>As JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";

    /// <summary>Puts a row in: in the place of an earlier one of that name, otherwise at the end.</summary>
    public BenchReport With(RowResult row) => this with
    {
        Rows = Rows.Any(other => other.Name == row.Name)
            ? [.. Rows.Select(other => other.Name == row.Name ? row : other)]
            : [.. Rows, row],
    };

    /// <summary>The rows in the order of the table; what the table does not know comes last.</summary>
    public BenchReport InOrder(IReadOnlyList<string> names) => this with
    {
        Rows = [.. Rows.OrderBy(row => names.ToList().IndexOf(row.Name) is var place && place < 0 ? int.MaxValue : place)],
    };
}
