namespace Trunkline.Sessions;

/// <summary>The topic aliases a client set up on its connection [MQTT-3.3.2-8]; bounded by Mqtt:TopicAliasMaximum.</summary>
internal sealed class InboundAliases
{
    private byte[]?[] _topics = new byte[4][];

    public void Set(ushort alias, ReadOnlySpan<byte> topic)
    {
        if (alias > _topics.Length)
        {
            Array.Resize(ref _topics, int.Max(alias, _topics.Length * 2));
        }

        if (!topic.SequenceEqual(_topics[alias - 1]))
        {
            _topics[alias - 1] = topic.ToArray();
        }
    }

    public bool TryGet(ushort alias, out ReadOnlySpan<byte> topic)
    {
        byte[]? found = alias <= _topics.Length ? _topics[alias - 1] : null;
        topic = found;
        return found is not null;
    }
}
