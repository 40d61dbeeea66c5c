using System.Buffers;

namespace Trunkline.Protocol;

/// <summary>
/// Writes packets. Every method returns the bytes written; 0 means that nothing was written, because the packet is
/// larger than <c>maximumPacketSize</c> (0 = no limit), a text is longer than 65,535 bytes, or the version cannot say it.
/// Reason strings and user properties are left out on their own where that makes a packet fit.
/// </summary>
public static partial class PacketWriter
{
    /// <summary>Writes a PINGREQ.</summary>
    public static int WritePingReq(IBufferWriter<byte> output) => WriteFixed(output, FixedFrames.PingReq);

    /// <summary>Writes a PINGRESP.</summary>
    public static int WritePingResp(IBufferWriter<byte> output) => WriteFixed(output, FixedFrames.PingResp);

    private static int WriteFixed(IBufferWriter<byte> output, ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        return bytes.Length;
    }

    private static bool IsTooLong(ReadOnlySpan<byte> value) => value.Length > ushort.MaxValue;

    /// <summary>The two properties that any answer may have and may leave out to fit.</summary>
    private static void Diagnostics<TSink>(
        ref TSink sink, ReadOnlySpan<byte> reasonString, UserPropertyList userProperties, PropertyDetail detail)
        where TSink : IPropertySink, allows ref struct
    {
        if (detail < PropertyDetail.WithoutReasonString)
        {
            sink.Optional(PropertyId.ReasonString, reasonString);
        }

        if (detail < PropertyDetail.WithoutUserProperties)
        {
            sink.UserProperties(userProperties);
        }
    }
}
