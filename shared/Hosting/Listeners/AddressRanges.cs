using System.Globalization;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>A list of CIDR ranges; immutable, any thread.</summary>
public sealed class AddressRanges
{
    private const int MappedBits = 96;

    private readonly (UInt128 Network, UInt128 Mask)[] _ranges;

    private AddressRanges((UInt128 Network, UInt128 Mask)[] ranges) => _ranges = ranges;

    /// <summary>Whether it has no range.</summary>
    public bool IsEmpty => _ranges.Length == 0;

    /// <summary>Reads ranges such as <c>10.0.0.0/8</c>, <c>fd00::/8</c>, <c>192.0.2.1</c>; they have been validated.</summary>
    public static AddressRanges Parse(IEnumerable<string> ranges)
    {
        var list = new List<(UInt128, UInt128)>();
        foreach (string text in ranges)
        {
            if (!TryParse(text, out (UInt128 Network, UInt128 Mask) range))
            {
                throw new FormatException($"\"{text}\" is not an address range.");
            }

            list.Add(range);
        }

        return new AddressRanges([.. list]);
    }

    /// <summary>Adds a sentence for each entry that is not a range.</summary>
    public static void Validate(IReadOnlyList<string> ranges, string path, ICollection<string> errors)
    {
        for (int i = 0; i < ranges.Count; i++)
        {
            if (!TryParse(ranges[i], out _))
            {
                errors.Add($"{path}:{i} is \"{ranges[i]}\"; write an address or a range such as 10.0.0.0/8 or fd00::/8.");
            }
        }
    }

    /// <summary>Whether an address lies in one of the ranges; an address of no IP family lies in none.</summary>
    public bool Contains(in NetworkAddress address)
    {
        if (_ranges.Length == 0 || address.Family is not (NetworkFamily.IPv4 or NetworkFamily.IPv6))
        {
            return false;
        }

        UInt128 value = ToInteger(address);
        foreach ((UInt128 network, UInt128 mask) in _ranges)
        {
            if ((value & mask) == network)
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryParse(string text, out (UInt128 Network, UInt128 Mask) range)
    {
        range = default;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        ReadOnlySpan<char> host = slash < 0 ? text : text.AsSpan(0, slash);
        if (!System.Net.IPAddress.TryParse(host, out System.Net.IPAddress? ip))
        {
            return false;
        }

        var address = NetworkAddress.From(new System.Net.IPEndPoint(ip, 0));
        int offset = address.Family == NetworkFamily.IPv4 ? MappedBits : 0;
        int bits = 128 - offset;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out bits) || bits > 128 - offset))
        {
            return false;
        }

        bits += offset;
        UInt128 mask = bits == 0 ? 0 : UInt128.MaxValue << (128 - bits);
        range = (ToInteger(address) & mask, mask);
        return true;
    }

    private static UInt128 ToInteger(in NetworkAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.WriteMapped(bytes);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
