using System.Buffers.Binary;
using System.Buffers.Text;
using System.Numerics;
using System.Text;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Reads PROXY protocol headers, versions 1 and 2, from bytes alone.</summary>
/// <remarks>
/// <code>
/// v1: PROXY TCP4 192.0.2.1 198.51.100.1 56324 1883\r\n          at most 107 bytes; TCP6; UNKNOWN ...\r\n
/// v2: 0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A | ver 2, command | family, transport | length u16 | addresses | TLVs
/// </code>
/// </remarks>
public static class ProxyHeaderParser
{
    private const int MaximumV1Length = 107;
    private const int V2PrefixLength = 16;
    private const byte TlvAuthority = 0x02, TlvCrc32C = 0x03;

    private static ReadOnlySpan<byte> V1Signature => "PROXY "u8;

    private static ReadOnlySpan<byte> V2Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Reads the header at the start of <paramref name="bytes"/>; a version 2 header is at most so many bytes long.</summary>
    public static ProxyHeaderStatus TryParse(ReadOnlySpan<byte> bytes, int maximumLength, out ProxyHeader header, out string error)
    {
        header = default;
        error = "";
        if (bytes.IsEmpty)
        {
            return ProxyHeaderStatus.NeedMore;
        }

        bool isV1 = bytes[0] == V1Signature[0];
        ReadOnlySpan<byte> signature = isV1 ? V1Signature : V2Signature;
        int known = Math.Min(bytes.Length, signature.Length);
        if (!bytes[..known].SequenceEqual(signature[..known]))
        {
            return ProxyHeaderStatus.Absent;
        }

        if (known < signature.Length)
        {
            return ProxyHeaderStatus.NeedMore;
        }

        return isV1 ? ParseV1(bytes, out header, out error) : ParseV2(bytes, maximumLength, out header, out error);
    }

    private static ProxyHeaderStatus ParseV1(ReadOnlySpan<byte> bytes, out ProxyHeader header, out string error)
    {
        header = default;
        error = "";
        int end = bytes[..Math.Min(bytes.Length, MaximumV1Length)].IndexOf((byte)'\n');
        if (end < 0)
        {
            error = $"a version 1 header is longer than {MaximumV1Length} bytes";
            return bytes.Length < MaximumV1Length ? ProxyHeaderStatus.NeedMore : ProxyHeaderStatus.Broken;
        }

        error = "a version 1 header is not \"PROXY TCP4|TCP6 source destination port port\" ended by CR LF";
        if (bytes[end - 1] != (byte)'\r')
        {
            return ProxyHeaderStatus.Broken;
        }

        ReadOnlySpan<byte> line = bytes[V1Signature.Length..(end - 1)];
        if (line.StartsWith("UNKNOWN"u8) && (line.Length == 7 || line[7] == (byte)' '))
        {
            header = new ProxyHeader(end + 1, default, default, null);
            return ProxyHeaderStatus.Complete;
        }

        Span<Range> parts = stackalloc Range[6];
        if (line.Split(parts) != 5)
        {
            return ProxyHeaderStatus.Broken;
        }

        NetworkFamily family = line[parts[0]].SequenceEqual("TCP4"u8) ? NetworkFamily.IPv4
            : line[parts[0]].SequenceEqual("TCP6"u8) ? NetworkFamily.IPv6 : NetworkFamily.None;
        if (family == NetworkFamily.None
            || !TryAddress(line[parts[1]], line[parts[3]], family, out NetworkAddress source)
            || !TryAddress(line[parts[2]], line[parts[4]], family, out NetworkAddress destination))
        {
            return ProxyHeaderStatus.Broken;
        }

        header = new ProxyHeader(end + 1, source, destination, null);
        return ProxyHeaderStatus.Complete;
    }

    private static ProxyHeaderStatus ParseV2(ReadOnlySpan<byte> bytes, int maximumLength, out ProxyHeader header, out string error)
    {
        header = default;
        error = "";
        if (bytes.Length < V2PrefixLength)
        {
            return ProxyHeaderStatus.NeedMore;
        }

        int version = bytes[12] >> 4;
        int command = bytes[12] & 0x0F;
        int family = bytes[13] >> 4;
        int length = V2PrefixLength + BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        if (version != 2 || command > 1 || family > 3 || (bytes[13] & 0x0F) > 2)
        {
            error = $"a binary header has version {version}, command {command}, family {bytes[13]:X2}";
            return ProxyHeaderStatus.Broken;
        }

        int addressLength = family switch { 1 => 12, 2 => 36, 3 => 216, _ => 0 };
        if (length > maximumLength || length < V2PrefixLength + addressLength)
        {
            error = $"a version 2 header of {length} bytes does not fit its family or Listeners:n:ProxyProtocol:MaximumHeaderBytes ({maximumLength})";
            return ProxyHeaderStatus.Broken;
        }

        if (bytes.Length < length)
        {
            return ProxyHeaderStatus.NeedMore;
        }

        ReadOnlySpan<byte> whole = bytes[..length];
        if (!TryTlvs(whole, V2PrefixLength + addressLength, out string? authority, out error))
        {
            return ProxyHeaderStatus.Broken;
        }

        // LOCAL: the proxy speaks for itself (a health check); its addresses are to be ignored.
        (NetworkAddress source, NetworkAddress destination) = command == 0 ? default : V2Addresses(whole[V2PrefixLength..], family);
        header = new ProxyHeader(length, source, destination, authority);
        return ProxyHeaderStatus.Complete;
    }

    private static (NetworkAddress Source, NetworkAddress Destination) V2Addresses(ReadOnlySpan<byte> block, int family) => family switch
    {
        1 => (NetworkAddress.FromBytes(block[..4], Port(block[8..])), NetworkAddress.FromBytes(block[4..8], Port(block[10..]))),
        2 => (NetworkAddress.FromBytes(block[..16], Port(block[32..])), NetworkAddress.FromBytes(block[16..32], Port(block[34..]))),
        3 => (NetworkAddress.Unix, NetworkAddress.Unix),
        _ => default,
    };

    private static ushort Port(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16BigEndian(bytes);

    private static bool TryTlvs(ReadOnlySpan<byte> whole, int offset, out string? authority, out string error)
    {
        authority = null;
        error = "";
        while (offset < whole.Length)
        {
            if (whole.Length - offset < 3)
            {
                error = "a version 2 header ends within a TLV";
                return false;
            }

            byte type = whole[offset];
            int length = BinaryPrimitives.ReadUInt16BigEndian(whole[(offset + 1)..]);
            offset += 3;
            if (length > whole.Length - offset)
            {
                error = $"the TLV {type:X2} of a version 2 header is longer than the header";
                return false;
            }

            if (type == TlvCrc32C && (length != 4 || !IsChecksumRight(whole, offset)))
            {
                error = "the CRC32c of a version 2 header is wrong";
                return false;
            }

            if (type == TlvAuthority)
            {
                authority = Encoding.UTF8.GetString(whole.Slice(offset, length));
            }

            offset += length;
        }

        return true;
    }

    /// <summary>The checksum is taken over the whole header with its own four bytes zero.</summary>
    private static bool IsChecksumRight(ReadOnlySpan<byte> whole, int at)
    {
        uint crc = uint.MaxValue;
        for (int i = 0; i < whole.Length; i++)
        {
            crc = BitOperations.Crc32C(crc, i >= at && i < at + 4 ? (byte)0 : whole[i]);
        }

        return ~crc == BinaryPrimitives.ReadUInt32BigEndian(whole[at..]);
    }

    private static int Split(this ReadOnlySpan<byte> line, Span<Range> parts)
    {
        int count = 0;
        int start = 0;
        while (count < parts.Length)
        {
            int space = line[start..].IndexOf((byte)' ');
            parts[count++] = space < 0 ? start..line.Length : start..(start + space);
            if (space < 0)
            {
                break;
            }

            start += space + 1;
        }

        return count;
    }

    private static bool TryAddress(ReadOnlySpan<byte> host, ReadOnlySpan<byte> port, NetworkFamily family, out NetworkAddress address)
    {
        address = default;
        if (!Utf8Parser.TryParse(port, out ushort number, out int used) || used != port.Length
            || !System.Net.IPAddress.TryParse(Encoding.ASCII.GetString(host), out System.Net.IPAddress? ip))
        {
            return false;
        }

        bool isIPv4 = ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;
        address = NetworkAddress.From(new System.Net.IPEndPoint(ip, number));
        return isIPv4 == (family == NetworkFamily.IPv4);
    }
}
