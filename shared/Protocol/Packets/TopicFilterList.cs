using System.Buffers.Binary;

namespace Trunkline.Protocol;

/// <summary>The filters of an UNSUBSCRIBE, in order. Validated once; walking it cannot fail.</summary>
public readonly ref struct TopicFilterList
{
    private readonly ReadOnlySpan<byte> _payload;

    internal TopicFilterList(ReadOnlySpan<byte> payload, int count)
    {
        _payload = payload;
        Count = count;
    }

    /// <summary>How many there are, at least one.</summary>
    public int Count { get; }

    internal ReadOnlySpan<byte> Payload => _payload;

    /// <summary>For <c>foreach</c>.</summary>
    public Enumerator GetEnumerator() => new(_payload);

    internal static bool TryParse(ReadOnlySpan<byte> payload, out TopicFilterList list, out ProtocolError error)
    {
        list = default;
        var count = 0;
        var reader = new WireReader(payload);
        error = reader.IsAtEnd ? ProtocolErrors.UnsubscribeEmpty : default;
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadText(out var filter, out error))
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

        list = new TopicFilterList(payload, count);
        return error.Code == ReasonCode.Success;
    }

    /// <summary>Walks the filters.</summary>
    public ref struct Enumerator
    {
        private ReadOnlySpan<byte> _rest;

        internal Enumerator(ReadOnlySpan<byte> payload) => _rest = payload;

        /// <summary>The current filter, well-formed UTF-8 and not empty.</summary>
        public ReadOnlySpan<byte> Current { readonly get; private set; }

        /// <summary>Moves on; false at the end.</summary>
        public bool MoveNext()
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            int length = BinaryPrimitives.ReadUInt16BigEndian(_rest);
            Current = _rest.Slice(sizeof(ushort), length);
            _rest = _rest[(sizeof(ushort) + length)..];
            return true;
        }
    }
}
