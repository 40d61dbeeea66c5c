using System.Text;

namespace Trunkline.Hosting;

/// <summary>The request that asks for a WebSocket, read from its header block.</summary>
internal sealed class UpgradeRequest
{
    private readonly List<(string Name, string Value)> _headers = [];

    private UpgradeRequest(string method, string path)
    {
        Method = method;
        Path = path;
    }

    /// <summary>The method.</summary>
    public string Method { get; }

    /// <summary>The path without its query.</summary>
    public string Path { get; }

    /// <summary>Reads a block that ends with an empty line; null when it is not HTTP/1.1.</summary>
    public static UpgradeRequest? TryParse(ReadOnlySpan<byte> block)
    {
        string[] lines = Encoding.Latin1.GetString(block).Split("\r\n");
        string[] parts = lines[0].Split(' ');
        if (parts.Length != 3 || parts[2] != "HTTP/1.1" || !parts[1].StartsWith('/'))
        {
            return null;
        }

        int query = parts[1].IndexOf('?', StringComparison.Ordinal);
        var request = new UpgradeRequest(parts[0], query < 0 ? parts[1] : parts[1][..query]);
        for (int i = 1; i < lines.Length && lines[i].Length > 0; i++)
        {
            int colon = lines[i].IndexOf(':', StringComparison.Ordinal);

            // A name ended by a space, or a folded line, is how requests are smuggled past proxies.
            if (colon <= 0 || char.IsWhiteSpace(lines[i][0]) || char.IsWhiteSpace(lines[i][colon - 1]))
            {
                return null;
            }

            request._headers.Add((lines[i][..colon], lines[i][(colon + 1)..].Trim(' ', '\t')));
        }

        return request;
    }

    /// <summary>The only value of a header; null when it is absent or there are several.</summary>
    public string? Single(string name)
    {
        string? found = null;
        foreach ((string key, string value) in _headers)
        {
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                if (found is not null)
                {
                    return null;
                }

                found = value;
            }
        }

        return found;
    }

    /// <summary>The comma-separated elements of all headers of a name, in order.</summary>
    public List<string> Elements(string name)
    {
        var elements = new List<string>();
        foreach ((string key, string value) in _headers)
        {
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                elements.AddRange(value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
            }
        }

        return elements;
    }

    /// <summary>Whether a header has an element, in any letter case.</summary>
    public bool HasElement(string name, string element) => Elements(name).Contains(element, StringComparer.OrdinalIgnoreCase);
}
