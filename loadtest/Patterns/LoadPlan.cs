namespace Trunkline.Loadtest;

/// <summary>Who takes part in a run and what must reach whom. Immutable.</summary>
internal sealed record LoadPlan
{
    /// <summary>All clients; subscribers stand before publishers, and connect before them.</summary>
    public required IReadOnlyList<ClientSpec> Clients { get; init; }

    /// <summary>For each client, the numbers of the publishers whose messages it must get; empty without subscription.</summary>
    public required IReadOnlyList<int[]> Expected { get; init; }

    /// <summary>How many publish.</summary>
    public int Publishers => Clients.Count(client => client.Publisher >= 0);

    /// <summary>How many subscribers each publisher's messages must reach, by publisher.</summary>
    public int[] Copies()
    {
        int[] copies = new int[Publishers];
        foreach (int[] publishers in Expected)
        {
            foreach (int publisher in publishers)
            {
                copies[publisher]++;
            }
        }

        return copies;
    }
}
