using System.Globalization;

namespace Trunkline.Directory;

/// <summary>What the directory's store is asked to keep through its own end: <c>Directory:Durability</c>.</summary>
/// <param name="Kind">How it keeps it.</param>
/// <param name="Replicas">Replicas that must have it; 0 unless asked for.</param>
internal readonly record struct Durability(DurabilityKind Kind, int Replicas = 0)
{
    internal const string Forms = "memory, aof-everysec, aof-always or replicas(n)";

    internal static bool TryParse(string text, out Durability durability)
    {
        durability = text switch
        {
            "aof-everysec" => new(DurabilityKind.AofEverySecond),
            "aof-always" => new(DurabilityKind.AofAlways),
            _ => default,
        };
        if (text is "memory" or "aof-everysec" or "aof-always")
        {
            return true;
        }

        if (text.StartsWith("replicas(", StringComparison.Ordinal) && text.EndsWith(')')
            && int.TryParse(text.AsSpan(9, text.Length - 10), NumberStyles.None, CultureInfo.InvariantCulture, out int replicas) && replicas is >= 1 and <= 9)
        {
            durability = new(DurabilityKind.Replicas, replicas);
            return true;
        }

        return false;
    }

    internal static Durability Of(DirectoryOptions options) => TryParse(options.Durability, out Durability durability) ? durability : default;
}

/// <summary>The ways of keeping.</summary>
internal enum DurabilityKind : byte
{
    Memory,
    AofEverySecond,
    AofAlways,
    Replicas,
}

/// <summary>What an answered change of a directory in a folder survives.</summary>
public enum DirectoryCommit : byte
{
    /// <summary>The end of this process: it is written to the file.</summary>
    Os,

    /// <summary>A power cut: it is on the disk; one sync is shared by all who wait.</summary>
    Always,
}

/// <summary>What becomes of a CONNECT while the directory is away.</summary>
public enum WhenAway : byte
{
    /// <summary>It is refused: CONNACK 0x88 (3.x: return code 3). The device tries again, and finds its session.</summary>
    Refuse,

    /// <summary>
    /// It is served with a clean session of this node alone, Session Present 0, which ends with its connection: messages
    /// flow, nothing of it is kept, and two nodes may serve the same client identifier meanwhile. Where this node has a session
    /// of the client that outlives connections, that one is kept and the CONNECT is refused.
    /// </summary>
    ServeClean,
}
