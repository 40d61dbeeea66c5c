using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Trunkline.Transports;

/// <summary>An IP address with a port as a value of 24 bytes; an IPv4 address mapped into IPv6 is held as IPv4.</summary>
public readonly struct NetworkAddress : IEquatable<NetworkAddress>
{
    private const ulong MappedPrefix = 0xFFFF_0000_0000UL;

    /// <summary>Characters that <see cref="TryFormat"/> needs at most.</summary>
    public const int MaximumTextLength = 64;

    private readonly ulong _high;
    private readonly ulong _low;
    private readonly ushort _port;
    private readonly NetworkFamily _family;

    private NetworkAddress(ulong high, ulong low, ushort port, NetworkFamily family)
    {
        _high = high;
        _low = low;
        _port = port;
        _family = family;
    }

    /// <summary>An address of the unix family, whose path is not kept.</summary>
    public static NetworkAddress Unix { get; } = new(0, 0, 0, NetworkFamily.Unix);

    /// <summary>Kind of address.</summary>
    public NetworkFamily Family => _family;

    /// <summary>Whether there is no address.</summary>
    public bool IsNone => _family == NetworkFamily.None;

    /// <summary>Port, 0 when unknown.</summary>
    public ushort Port => _port;

    /// <summary>Makes an address from 4 or 16 bytes in network order.</summary>
    public static NetworkAddress FromBytes(ReadOnlySpan<byte> address, ushort port)
    {
        if (address.Length == 4)
        {
            return new(0, BinaryPrimitives.ReadUInt32BigEndian(address), port, NetworkFamily.IPv4);
        }

        ulong high = BinaryPrimitives.ReadUInt64BigEndian(address);
        ulong low = BinaryPrimitives.ReadUInt64BigEndian(address[8..]);
        return high == 0 && (low & 0xFFFF_FFFF_0000_0000UL) == MappedPrefix
            ? new(0, (uint)low, port, NetworkFamily.IPv4)
            : new(high, low, port, NetworkFamily.IPv6);
    }

    /// <summary>An IPv4 address in 8 bytes, for those who hold very many; 0 for any other.</summary>
    public ulong PackIPv4() =>
        _family == NetworkFamily.IPv4 ? (1UL << 48) | ((ulong)_port << 32) | (uint)_low : 0;

    /// <summary>The address that <see cref="PackIPv4"/> packed; none for 0.</summary>
    public static NetworkAddress UnpackIPv4(ulong packed) =>
        packed == 0 ? default : new(0, (uint)packed, (ushort)(packed >> 32), NetworkFamily.IPv4);

    /// <summary>Makes an address from an end point; none when it is not an IP one.</summary>
    public static NetworkAddress From(EndPoint? endPoint)
    {
        if (endPoint is not IPEndPoint ip)
        {
            return endPoint is UnixDomainSocketEndPoint ? Unix : default;
        }

        Span<byte> bytes = stackalloc byte[16];
        ip.Address.TryWriteBytes(bytes, out int length);
        return FromBytes(bytes[..length], (ushort)ip.Port);
    }

    /// <summary>Reads "1.2.3.4", "1.2.3.4:5", "::1" or "[::1]:5".</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out NetworkAddress address)
    {
        // Not IPAddress.TryParse, which takes "[::1]:5" too, and forgets the port.
        bool ok = IPEndPoint.TryParse(text, out IPEndPoint? endPoint);
        address = From(endPoint);
        return ok;
    }

    /// <summary>Writes the address as 16 bytes in network order, IPv4 mapped, so that ranges of both compare alike.</summary>
    public void WriteMapped(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _family == NetworkFamily.IPv4 ? MappedPrefix | _low : _low);
    }

    /// <summary>The end point; null when it is not an IP one.</summary>
    public IPEndPoint? ToEndPoint()
    {
        Span<byte> bytes = stackalloc byte[16];
        WriteMapped(bytes);
        return _family switch
        {
            NetworkFamily.IPv4 => new IPEndPoint(new IPAddress(bytes[12..]), _port),
            NetworkFamily.IPv6 => new IPEndPoint(new IPAddress(bytes), _port),
            _ => null,
        };
    }

    /// <summary>The address without its port.</summary>
    public string HostToString() => ToEndPoint()?.Address.ToString() ?? (_family == NetworkFamily.Unix ? "unix" : "none");

    /// <summary>Writes what <see cref="ToString"/> gives, for IPv4 without a string; false when it does not fit.</summary>
    public bool TryFormat(Span<char> destination, out int written)
    {
        if (_family != NetworkFamily.IPv4 || _port == 0)
        {
            string text = ToString();
            written = text.Length;
            return text.TryCopyTo(destination);
        }

        return destination.TryWrite(
            CultureInfo.InvariantCulture, $"{(byte)(_low >> 24)}.{(byte)(_low >> 16)}.{(byte)(_low >> 8)}.{(byte)_low}:{_port}", out written);
    }

    /// <summary>Address and port; the address alone where no port is known, as behind X-Forwarded-For.</summary>
    public override string ToString() => _port == 0 ? HostToString() : ToEndPoint()?.ToString() ?? HostToString();

    /// <inheritdoc/>
    public bool Equals(NetworkAddress other) =>
        _high == other._high && _low == other._low && _port == other._port && _family == other._family;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is NetworkAddress other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_high, _low, _port, _family);

    /// <summary>Equality of address and port.</summary>
    public static bool operator ==(NetworkAddress left, NetworkAddress right) => left.Equals(right);

    /// <summary>Inequality of address or port.</summary>
    public static bool operator !=(NetworkAddress left, NetworkAddress right) => !left.Equals(right);
}
