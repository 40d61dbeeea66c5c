namespace Trunkline.Tool.Bench.Rows;

/// <summary>All rows, in the order of the table.</summary>
internal static class RowList
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<BenchRow> All() => [.. IdleRows.All(), .. MessageRows.All(), .. ConnectRows.All(), new AllocationRow(), .. GrowthRows.All(), new ManyFiltersRow()];

    /// <summary>Rows of docs/RELIABILITY.md: what keeping messages and sessions costs. Most are stated, not judged.</summary>
    public static IReadOnlyList<BenchRow> Reliability() =>
    [
        .. CommitRows.All(), new ForeignLogRow(), new QoS2RedisRow(), new ReconnectRow(), new ShareRow(),
    ];

    /// <summary>Those named: a whole name, or the beginning of several. Without names all. An unknown one is refused with the list.</summary>
    public static IReadOnlyList<BenchRow> Select(IReadOnlyList<BenchRow> rows, IReadOnlyList<string> names)
    {
        if (names.Count == 0)
        {
            return rows;
        }

        string? unknown = names.FirstOrDefault(name => !rows.Any(row => Is(row, name)));
        return unknown is null
            ? [.. rows.Where(row => names.Any(name => Is(row, name)))]
            : throw new ToolException($"--row {unknown} is none of {string.Join(", ", rows.Select(row => row.Name))}.", ExitCodes.Usage);
    }

    private static bool Is(BenchRow row, string name) =>
        row.Name == name || (row.Name.StartsWith(name, StringComparison.Ordinal) && row.Name.Length > name.Length && row.Name[name.Length] == '-');
}
