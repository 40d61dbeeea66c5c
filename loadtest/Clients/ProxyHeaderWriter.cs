using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Trunkline.Loadtest;

/// <summary>
/// Writes a PROXY header as HAProxy specified it, version 1 (text) or 2 (binary). The source is an address of
/// 198.18.0.0/15, the range kept for benchmarks: another one for each client, up to 131,072 of them.
/// </summary>
internal static class ProxyHeaderWriter
{
    private const uint FirstSource = (198u << 24) | (18u << 16);
    private const uint Sources = 1u << 17;
    private const uint Loopback = (127u << 24) | 1;
    private const int BinaryLength = 28;

    private static ReadOnlySpan<byte> Signature => [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    /// <summary>Writes the header of a client.</summary>
    public static void Write(IBufferWriter<byte> output, int version, int client, int port)
    {
        uint source = FirstSource + ((uint)client % Sources);
        ushort sourcePort = (ushort)(1024 + (client % 60_000));
        if (version == 1)
        {
            output.Write(Encoding.ASCII.GetBytes(string.Create(
                CultureInfo.InvariantCulture, $"PROXY TCP4 {Text(source)} {Text(Loopback)} {sourcePort} {port}\r\n")));
            return;
        }

        // signature 12 | version 2, PROXY | AF_INET, STREAM | length 12 | source 4 | destination 4 | ports 2 + 2
        Span<byte> header = output.GetSpan(BinaryLength);
        Signature.CopyTo(header);
        header[12] = 0x21;
        header[13] = 0x11;
        BinaryPrimitives.WriteUInt16BigEndian(header[14..], 12);
        BinaryPrimitives.WriteUInt32BigEndian(header[16..], source);
        BinaryPrimitives.WriteUInt32BigEndian(header[20..], Loopback);
        BinaryPrimitives.WriteUInt16BigEndian(header[24..], sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(header[26..], (ushort)port);
        output.Advance(BinaryLength);
    }

    private static string Text(uint address) =>
        string.Create(CultureInfo.InvariantCulture, $"{address >> 24}.{(address >> 16) & 255}.{(address >> 8) & 255}.{address & 255}");
}
