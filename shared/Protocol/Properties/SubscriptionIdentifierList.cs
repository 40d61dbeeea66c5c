namespace Trunkline.Protocol;

/// <summary>The subscription identifiers of a PUBLISH from a server.</summary>
public readonly ref struct SubscriptionIdentifierList
{
    private readonly ReadOnlySpan<byte> _block;

    internal SubscriptionIdentifierList(ReadOnlySpan<byte> block, int count)
    {
        _block = block;
        Count = count;
    }

    /// <summary>How many there are.</summary>
    public int Count { get; }

    /// <summary>For <c>foreach</c>.</summary>
    public Enumerator GetEnumerator() => new(_block, Count);

    /// <summary>Walks the identifiers; stops after the last without walking the rest of the block.</summary>
    public ref struct Enumerator
    {
        private ReadOnlySpan<byte> _rest;
        private int _left;

        internal Enumerator(ReadOnlySpan<byte> block, int count)
        {
            _rest = block;
            _left = count;
        }

        /// <summary>The current identifier, 1 to 268,435,455.</summary>
        public uint Current { readonly get; private set; }

        /// <summary>Moves on; false at the end.</summary>
        public bool MoveNext()
        {
            if (_left == 0)
            {
                return false;
            }

            while (true)
            {
                var size = PropertyWalk.SizeOfFirst(_rest);
                if (size == 0)
                {
                    return false;
                }

                var property = _rest[..size];
                _rest = _rest[size..];
                if (property[0] == (byte)PropertyId.SubscriptionIdentifier && VariableByteInteger.TryRead(property[1..], out var value, out _))
                {
                    Current = value;
                    _left--;
                    return true;
                }
            }
        }
    }
}
