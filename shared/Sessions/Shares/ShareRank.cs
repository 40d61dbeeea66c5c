namespace Trunkline.Sessions;

/// <summary>
/// Weighted rendezvous hashing: of all members the one with the highest score has a key. A member that comes or goes moves
/// its own keys alone; one whose weight changes moves keys in proportion.
/// </summary>
public static class ShareRank
{
    /// <summary>A member's score for a key; the same on every node.</summary>
    /// <param name="key">The key: a hash of the topic, or of the publishing client.</param>
    /// <param name="member">A hash that names the member.</param>
    /// <param name="weight">How much it takes compared with others, above 0.</param>
    public static double Score(ulong key, ulong member, int weight)
    {
        // (0, 1): the logarithm makes the chance of the highest score proportional to the weight.
        double uniform = ((Mix(key ^ Mix(member)) >> 11) + 0.5) * (1.0 / (1UL << 53));
        return -weight / Math.Log(uniform);
    }

    /// <summary>A stable hash of some bytes (FNV-1a).</summary>
    public static ulong HashOf(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 14_695_981_039_346_656_037;
        foreach (byte value in bytes)
        {
            hash = (hash ^ value) * 1_099_511_628_211;
        }

        return hash;
    }

    /// <summary>Every bit of the result hangs on every bit of the value (the finisher of SplitMix64).</summary>
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
