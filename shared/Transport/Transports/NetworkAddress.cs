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
        if (TryParsePlain(text, out address))
        {
            return true;
        }

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
    public string HostToString() => _family == NetworkFamily.IPv4
        ? ToText(withPort: false)
        : ToEndPoint()?.Address.ToString() ?? (_family == NetworkFamily.Unix ? "unix" : "none");

    /// <summary>Writes what <see cref="ToString"/> gives, for IPv4 without a string; false when it does not fit.</summary>
    public bool TryFormat(Span<char> destination, out int written) => TryWrite(destination, _port != 0, out written);

    /// <summary>Writes what <see cref="HostToString"/> gives, for IPv4 without a string; false when it does not fit.</summary>
    public bool TryFormatHost(Span<char> destination, out int written) => TryWrite(destination, withPort: false, out written);

    /// <summary>Address and port; the address alone where no port is known, as behind X-Forwarded-For.</summary>
    public override string ToString() => _family == NetworkFamily.IPv4 ? ToText(_port != 0)
        : _port == 0 ? HostToString()
        : ToEndPoint()?.ToString() ?? HostToString();

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

    /// <summary>"1.2.3.4" or "1.2.3.4:5" as <see cref="ToString"/> writes it, without an object: each CONNECT asks for that.</summary>
    private static bool TryParsePlain(ReadOnlySpan<char> text, out NetworkAddress address)
    {
        address = default;
        uint host = 0;
        for (int part = 0; part < 4; part++)
        {
            if ((part > 0 && !TakeChar(ref text, '.')) || !TryTakeNumber(ref text, byte.MaxValue, out uint value))
            {
                return false;
            }

            host = (host << 8) | value;
        }

        uint port = 0;
        if (!text.IsEmpty && (!TakeChar(ref text, ':') || !TryTakeNumber(ref text, ushort.MaxValue, out port) || !text.IsEmpty))
        {
            return false;
        }

        address = new NetworkAddress(0, host, (ushort)port, NetworkFamily.IPv4);
        return true;
    }

    private static bool TakeChar(ref ReadOnlySpan<char> text, char wanted)
    {
        bool isThere = !text.IsEmpty && text[0] == wanted;
        text = isThere ? text[1..] : text;
        return isThere;
    }

    // Without leading zeros, which elsewhere mean octal.
    private static bool TryTakeNumber(ref ReadOnlySpan<char> text, uint maximum, out uint value)
    {
        value = 0;
        int digits = 0;
        while (digits < text.Length && digits < 5 && char.IsAsciiDigit(text[digits]))
        {
            value = (value * 10) + (uint)(text[digits++] - '0');
        }

        bool isPlain = digits > 0 && value <= maximum && (digits == 1 || text[0] != '0');
        text = text[digits..];
        return isPlain;
    }

    private string ToText(bool withPort)
    {
        Span<char> text = stackalloc char[MaximumTextLength];
        WriteIPv4(text, withPort, out int written);
        return new string(text[..written]);
    }

    private bool TryWrite(Span<char> destination, bool withPort, out int written)
    {
        if (_family == NetworkFamily.IPv4)
        {
            return WriteIPv4(destination, withPort, out written);
        }

        string text = withPort ? ToString() : HostToString();
        written = text.Length;
        return text.TryCopyTo(destination);
    }

    private bool WriteIPv4(Span<char> destination, bool withPort, out int written)
    {
        written = 0;
        for (int shift = 24; shift >= 0; shift -= 8)
        {
            if (!Append(destination, ref written, (uint)(_low >> shift) & 0xFF, shift > 0 ? '.' : withPort ? ':' : '\0'))
            {
                return false;
            }
        }

        return !withPort || Append(destination, ref written, _port, '\0');
    }

    private static bool Append(Span<char> destination, ref int written, uint value, char then)
    {
        if (!value.TryFormat(destination[written..], out int digits, default, CultureInfo.InvariantCulture))
        {
            return false;
        }

        written += digits;
        if (then == '\0')
        {
            return true;
        }

        if (written == destination.Length)
        {
            return false;
        }

        destination[written++] = then;
        return true;
    }
}
