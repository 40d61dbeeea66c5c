using System.Buffers.Binary;

namespace Trunkline.Protocol;

/// <summary>A filter and the options asked for, in a SUBSCRIBE.</summary>
/// <param name="filter">The topic filter.</param>
/// <param name="options">Its options.</param>
public readonly ref struct Subscription(ReadOnlySpan<byte> filter, SubscriptionOptions options)
{
    /// <summary>The topic filter, well-formed UTF-8 and not empty; its syntax is judged in Topics.</summary>
    public ReadOnlySpan<byte> Filter { get; } = filter;

    /// <summary>Its options; in 3.x only the QoS.</summary>
    public SubscriptionOptions Options { get; } = options;
}

/// <summary>The subscriptions of a SUBSCRIBE, in order. Validated once; walking it cannot fail.</summary>
public readonly ref struct SubscriptionList
{
    private readonly ReadOnlySpan<byte> _payload;
    private readonly ProtocolVersion _version;

    internal SubscriptionList(ReadOnlySpan<byte> payload, int count, ProtocolVersion version)
    {
        _payload = payload;
        _version = version;
        Count = count;
    }

    /// <summary>How many there are, at least one.</summary>
    public int Count { get; }

    internal ReadOnlySpan<byte> Payload => _payload;

    /// <summary>For <c>foreach</c>.</summary>
    public Enumerator GetEnumerator() => new(_payload, _version);

    internal static bool TryParse(ReadOnlySpan<byte> payload, ProtocolVersion version, out SubscriptionList list, out ProtocolError error)
    {
        list = default;
        var count = 0;
        var reader = new WireReader(payload);
        error = reader.IsAtEnd ? ProtocolErrors.SubscribeEmpty : default;
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadText(out var filter, out error)
                || !reader.TryReadByte(out var options, out error)
                || !new SubscriptionOptions(options).IsValid(version, out error))
            {
                return false;
            }

            if (filter.IsEmpty)
            {
                error = ProtocolErrors.TopicFilterEmpty;
                return false;
            }

            count++;
        }

        list = new SubscriptionList(payload, count, version);
        return error.Code == ReasonCode.Success;
    }

    /// <summary>Walks the subscriptions.</summary>
    public ref struct Enumerator
    {
        private readonly ProtocolVersion _version;
        private ReadOnlySpan<byte> _rest;

        internal Enumerator(ReadOnlySpan<byte> payload, ProtocolVersion version)
        {
            _rest = payload;
            _version = version;
        }

        /// <summary>The current subscription.</summary>
        public Subscription Current { readonly get; private set; }

        /// <summary>Moves on; false at the end.</summary>
        public bool MoveNext()
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            int length = BinaryPrimitives.ReadUInt16BigEndian(_rest);
            var options = new SubscriptionOptions(_rest[sizeof(ushort) + length]);
            Current = new Subscription(_rest.Slice(sizeof(ushort), length), options.In(_version));
            _rest = _rest[(sizeof(ushort) + length + 1)..];
            return true;
        }
    }
}
