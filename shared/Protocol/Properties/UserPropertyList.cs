using System.Buffers.Binary;

namespace Trunkline.Protocol;

/// <summary>
/// The user properties in a property block, in order; names may repeat. Other properties in the block are skipped.
/// </summary>
/// <param name="block">A validated property block without its length.</param>
public readonly ref struct UserPropertyList(ReadOnlySpan<byte> block)
{
    private readonly ReadOnlySpan<byte> _block = block;

    /// <summary>True when there is none.</summary>
    public bool IsEmpty => !GetEnumerator().MoveNext();

    /// <summary>How many there are; walks the block.</summary>
    public int Count()
    {
        var count = 0;
        foreach (var _ in this)
        {
            count++;
        }

        return count;
    }

    /// <summary>Finds the first user property named <paramref name="key"/>.</summary>
    public bool TryFind(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        foreach (var property in this)
        {
            if (property.Key.SequenceEqual(key))
            {
                value = property.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>For <c>foreach</c>.</summary>
    public Enumerator GetEnumerator() => new(_block);

    /// <summary>Walks the user properties.</summary>
    public ref struct Enumerator
    {
        private ReadOnlySpan<byte> _rest;

        internal Enumerator(ReadOnlySpan<byte> block) => _rest = block;

        /// <summary>The current user property.</summary>
        public readonly UserProperty Current
        {
            get
            {
                var keyLength = BinaryPrimitives.ReadUInt16BigEndian(Encoded[1..]);
                return new UserProperty(Encoded.Slice(3, keyLength), Encoded[(5 + keyLength)..]);
            }
        }

        /// <summary>The current user property as it stands in the block, identifier included.</summary>
        internal ReadOnlySpan<byte> Encoded { readonly get; private set; }

        /// <summary>Moves on; false at the end.</summary>
        public bool MoveNext()
        {
            while (true)
            {
                var size = PropertyWalk.SizeOfFirst(_rest);
                if (size == 0)
                {
                    return false;
                }

                Encoded = _rest[..size];
                _rest = _rest[size..];
                if (Encoded[0] == (byte)PropertyId.UserProperty)
                {
                    return true;
                }
            }
        }
    }
}
