namespace Trunkline.ProxyTests.Docs;

/// <summary>The tables of a page in docs/: rows that begin with a name in backticks, by the chapter they stand in.</summary>
internal static class DocumentTable
{
    public static string Root { get; } = FindRoot();

    /// <summary>Rows as chapter (## heading), name and the other cells.</summary>
    public static IReadOnlyList<(string Chapter, string Name, string[] Cells)> Rows(string page)
    {
        var rows = new List<(string, string, string[])>();
        string chapter = "";
        foreach (string line in File.ReadLines(Path.Combine(Root, "docs", page)))
        {
            if (line.StartsWith("## ", StringComparison.Ordinal))
            {
                chapter = line[3..];
            }
            else if (line.StartsWith("| `", StringComparison.Ordinal))
            {
                string[] cells = [.. line.Trim('|', ' ').Replace("\\|", "\u0001", StringComparison.Ordinal).Split('|').Select(cell => cell.Trim())];
                rows.Add((chapter, cells[0].Trim('`'), cells[1..]));
            }
        }

        return rows;
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Proxy.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("Run these tests from the repository's build output.");
    }
}
