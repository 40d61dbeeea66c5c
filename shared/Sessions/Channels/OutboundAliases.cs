namespace Trunkline.Sessions;

/// <summary>
/// The topic aliases we use towards one client [MQTT-3.1.2-26]. The first topics sent get the aliases and keep
/// them: moving an alias costs a copy of a topic, and a client of many topics would pay it with every message. The table
/// is small, so a scan by hash finds it.
/// </summary>
internal sealed class OutboundAliases(int maximum)
{
    private readonly int[] _hashes = new int[maximum];
    private readonly byte[]?[] _topics = new byte[maximum][];
    private int _count;

    /// <summary>
    /// Gives the alias of a topic, if there is one for it or, where <paramref name="mayAdd"/> says so, one is free;
    /// <paramref name="isKnown"/> says that the client already has it.
    /// </summary>
    public bool TryUse(ReadOnlySpan<byte> topic, bool mayAdd, out ushort alias, out bool isKnown)
    {
        var hashCode = default(HashCode);
        hashCode.AddBytes(topic);
        int hash = hashCode.ToHashCode();
        for (int i = 0; i < _count; i++)
        {
            if (_hashes[i] == hash && topic.SequenceEqual(_topics[i]))
            {
                alias = (ushort)(i + 1);
                isKnown = true;
                return true;
            }
        }

        isKnown = false;
        if (_count == maximum || !mayAdd)
        {
            alias = 0;
            return false;
        }

        _hashes[_count] = hash;
        _topics[_count] = topic.ToArray();
        alias = (ushort)++_count;
        return true;
    }
}
