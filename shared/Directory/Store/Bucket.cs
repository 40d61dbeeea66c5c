using System.Text;

namespace Trunkline.Directory;

/// <summary>Sessions live in 1,024 buckets by their client id, so that one script touches one slot of a Redis Cluster.</summary>
public static class Bucket
{
    /// <summary>Number of buckets; part of the key layout: a change needs a new schema.</summary>
    public const int Count = 1_024;

    /// <summary>Sessions in one script.</summary>
    internal const int MaxBatch = 64;

    /// <summary>The bucket of a client id, from 0 to <see cref="Count"/> - 1.</summary>
    /// <remarks>FNV-1a over the UTF-8 bytes, folded to 10 bits. Not CRC16: a brace in a client id must not matter.</remarks>
    public static int Of(string clientId)
    {
        ArgumentNullException.ThrowIfNull(clientId);
        Span<byte> stack = stackalloc byte[256];
        int most = Encoding.UTF8.GetMaxByteCount(clientId.Length);
        Span<byte> utf8 = most <= stack.Length ? stack : new byte[most];
        utf8 = utf8[..Encoding.UTF8.GetBytes(clientId, utf8)];
        uint hash = 2_166_136_261;
        foreach (byte b in utf8)
        {
            hash = (hash ^ b) * 16_777_619;
        }

        return (int)((hash ^ (hash >> 10) ^ (hash >> 20)) & (Count - 1));
    }
}
