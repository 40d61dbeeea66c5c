using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.ProxyProtocol;

public sealed class ProxyHeaderParserTests
{
    private const int Most = 16 * 1024;
    private const string V2Tcp4 = "0D0A0D0A000D0A515549540A 21 11 000C C0000201 C6336401 DC04 075B";

    public static TheoryData<string, int, string, string> Whole => new()
    {
        { Ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 1883\r\n"), 46, "192.0.2.1:56324", "198.51.100.1:1883" },
        { Ascii("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"), 44, "[2001:db8::1]:1", "[2001:db8::2]:65535" },
        { Ascii("PROXY UNKNOWN\r\n"), 15, "none", "none" },
        { Ascii("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), 35, "none", "none" },
        { V2Tcp4, 28, "192.0.2.1:56324", "198.51.100.1:1883" },
        { "0D0A0D0A000D0A515549540A 20 11 000C C0000201 C6336401 DC04 075B", 28, "none", "none" },
        { "0D0A0D0A000D0A515549540A 20 00 0000", 16, "none", "none" },
        { "0D0A0D0A000D0A515549540A 21 00 0003 EE0000", 19, "none", "none" },
        { "0D0A0D0A000D0A515549540A 21 21 0024 20010DB8000000000000000000000001 20010DB8000000000000000000000002 0001 FFFF", 52, "[2001:db8::1]:1", "[2001:db8::2]:65535" },
        { "0D0A0D0A000D0A515549540A 21 31 00D8" + new string('0', 432), 232, "unix", "unix" },

        // An unknown TLV, NOOP, and an authority behind the addresses.
        { "0D0A0D0A000D0A515549540A 21 11 001E C0000201 C6336401 DC04 075B EE0001AA 0400020000 020006686F73742E65", 46, "192.0.2.1:56324", "198.51.100.1:1883" },
    };

    public static TheoryData<string> Broken =>
    [
        Ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n"),
        Ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 99999\r\n"),
        Ascii("PROXY TCP4 ::1 ::1 1 2\r\n"),
        Ascii("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"),
        Ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 1883 x\r\n"),
        Ascii("PROXY UDP4 192.0.2.1 198.51.100.1 56324 1883\r\n"),
        Ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 1883\n"),
        Ascii("PROXY " + new string('x', 120)),
        "0D0A0D0A000D0A515549540A 11 11 000C C0000201 C6336401 DC04 075B",
        "0D0A0D0A000D0A515549540A 22 11 000C C0000201 C6336401 DC04 075B",
        "0D0A0D0A000D0A515549540A 21 41 000C C0000201 C6336401 DC04 075B",
        "0D0A0D0A000D0A515549540A 21 11 000B C0000201 C6336401 DC04 07",
        "0D0A0D0A000D0A515549540A 21 11 000E C0000201 C6336401 DC04 075B EE00",
        "0D0A0D0A000D0A515549540A 21 11 000F C0000201 C6336401 DC04 075B EE0001",
        "0D0A0D0A000D0A515549540A 21 11 0013 C0000201 C6336401 DC04 075B 030004 00000000",
        "0D0A0D0A000D0A515549540A 21 11 FFFF",
    ];

    public static TheoryData<string> Other =>
    [
        "101000044D515454040200000000",
        "160301",
        Ascii("GET /mqtt HTTP/1.1\r\n"),
        Ascii("POST / HTTP/1.1\r\n"),
        Ascii("PROXIMITY"),
        "0D0A0D0A000D0A515549540B",
        "00",
    ];

    [Theory, MemberData(nameof(Whole))]
    public void A_header_is_read_at_every_split(string hex, int length, string source, string destination)
    {
        byte[] bytes = [.. Bytes(hex), 0x10, 0x20];
        Assert.Equal(length, bytes.Length - 2);
        for (int split = 0; split < length; split++)
        {
            Assert.Equal(ProxyHeaderStatus.NeedMore, ProxyHeaderParser.TryParse(bytes.AsSpan(0, split), Most, out _, out _));
        }

        for (int split = length; split <= bytes.Length; split++)
        {
            Assert.Equal(ProxyHeaderStatus.Complete, ProxyHeaderParser.TryParse(bytes.AsSpan(0, split), Most, out ProxyHeader header, out _));
            Assert.Equal(length, header.Length);
            Assert.Equal(source, header.Source.ToString());
            Assert.Equal(destination, header.Destination.ToString());
        }
    }

    [Theory, MemberData(nameof(Broken))]
    public void A_broken_header_is_broken_and_never_something_else(string hex)
    {
        byte[] bytes = Bytes(hex);
        Assert.Equal(ProxyHeaderStatus.Broken, ProxyHeaderParser.TryParse(bytes, Most, out _, out string error));
        Assert.NotEmpty(error);
        for (int split = 0; split < bytes.Length; split++)
        {
            ProxyHeaderStatus status = ProxyHeaderParser.TryParse(bytes.AsSpan(0, split), Most, out _, out _);
            Assert.Contains(status, new[] { ProxyHeaderStatus.NeedMore, ProxyHeaderStatus.Broken });
        }
    }

    [Theory, MemberData(nameof(Other))]
    public void Anything_else_is_no_header(string hex) =>
        Assert.Equal(ProxyHeaderStatus.Absent, ProxyHeaderParser.TryParse(Bytes(hex), Most, out _, out _));

    [Fact]
    public void A_right_checksum_passes_and_every_flipped_bit_is_seen()
    {
        byte[] bytes = Bytes("0D0A0D0A000D0A515549540A 21 11 0013 C0000201 C6336401 DC04 075B 030004 00000000");
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(^4), ~crc);
        Assert.Equal(ProxyHeaderStatus.Complete, ProxyHeaderParser.TryParse(bytes, Most, out _, out _));
        for (int bit = 16 * 8; bit < 28 * 8; bit++)
        {
            byte[] flipped = [.. bytes];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(ProxyHeaderStatus.Broken, ProxyHeaderParser.TryParse(flipped, Most, out _, out _));
        }
    }

    [Theory]
    [InlineData(100, ProxyHeaderStatus.Complete)]
    [InlineData(99, ProxyHeaderStatus.Broken)]
    public void A_header_longer_than_it_may_be_is_broken_by_its_length_alone(int maximum, ProxyHeaderStatus status)
    {
        // 16 bytes, 12 of addresses and a TLV of 3 and 69.
        byte[] bytes = [.. Bytes("0D0A0D0A000D0A515549540A 21 11 0054 C0000201 C6336401 DC04 075B 040045"), .. new byte[69]];
        Assert.Equal(100, bytes.Length);
        Assert.Equal(status, ProxyHeaderParser.TryParse(bytes, maximum, out _, out string error));
        if (status == ProxyHeaderStatus.Broken)
        {
            Assert.Contains("ProxyProtocol:MaximumHeaderBytes (99)", error, StringComparison.Ordinal);
            Assert.Equal(status, ProxyHeaderParser.TryParse(bytes.AsSpan(0, 16), maximum, out _, out _));
        }
    }

    [Fact]
    public void Any_bytes_give_an_answer()
    {
        var random = new Random(20_26);
        byte[] start = Bytes(V2Tcp4);
        for (int round = 0; round < 100_000; round++)
        {
            byte[] bytes = new byte[random.Next(64)];
            random.NextBytes(bytes);
            start.AsSpan(0, Math.Min(bytes.Length, random.Next(start.Length))).CopyTo(bytes);
            ProxyHeaderParser.TryParse(bytes, Most, out ProxyHeader header, out _);
            Assert.InRange(header.Length, 0, bytes.Length);
        }
    }

    [Fact]
    public void Addresses_compare_as_ranges()
    {
        var ranges = AddressRanges.Parse(["10.0.0.0/8", "192.0.2.7", "fd00::/8", "::1"]);
        Assert.True(Contains("10.255.0.1"));
        Assert.True(Contains("::ffff:10.1.2.3"));
        Assert.True(Contains("192.0.2.7"));
        Assert.True(Contains("fdab::1"));
        Assert.True(Contains("::1"));
        Assert.False(Contains("11.0.0.1"));
        Assert.False(Contains("192.0.2.8"));
        Assert.False(Contains("fe80::1"));
        Assert.False(AddressRanges.Parse(["0.0.0.0/0"]).Contains(Parse("fe80::1")));
        Assert.True(AddressRanges.Parse(["::/0"]).Contains(Parse("1.2.3.4")));
        Assert.False(ranges.Contains(NetworkAddress.Unix));
        var errors = new List<string>();
        AddressRanges.Validate(["10.0.0.0/33", "x", "::/129", "1.2.3.4/"], "Deny", errors);
        Assert.Equal(4, errors.Count);

        bool Contains(string text) => ranges.Contains(Parse(text));
    }

    private static NetworkAddress Parse(string text)
    {
        Assert.True(NetworkAddress.TryParse(text, out NetworkAddress address));
        return address;
    }

    private static string Ascii(string text) => Convert.ToHexString(Encoding.ASCII.GetBytes(text));

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
