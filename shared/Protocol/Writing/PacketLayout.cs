using System.Buffers;

namespace Trunkline.Protocol;

/// <summary>What a server may leave out so that a packet fits the receiver's maximum packet size, in this order.</summary>
internal enum PropertyDetail
{
    All,
    WithoutUserProperties,
    WithoutReasonString,
    End,
}

/// <summary>The sizes of one packet, known before a byte is written.</summary>
internal readonly struct PacketLayout
{
    private PacketLayout(int properties, int remaining)
    {
        Properties = properties;
        Remaining = remaining;
        Total = 1 + VariableByteInteger.SizeOf((uint)remaining) + remaining;
    }

    /// <summary>The size of the property block without its length.</summary>
    public int Properties { get; }

    /// <summary>The remaining length.</summary>
    public int Remaining { get; }

    /// <summary>The size of the packet.</summary>
    public int Total { get; }

    /// <summary>A packet without a property block.</summary>
    public static bool TryPlan(long remaining, uint maximumPacketSize, out PacketLayout layout)
    {
        layout = remaining <= VariableByteInteger.MaxValue ? new PacketLayout(0, (int)remaining) : default;
        return layout.Total != 0 && (maximumPacketSize == 0 || (uint)layout.Total <= maximumPacketSize);
    }

    /// <summary>A packet with a property block; <paramref name="others"/> is what stands beside the block and its length.</summary>
    public static bool TryPlan(long others, PropertyMeasure properties, uint maximumPacketSize, out PacketLayout layout)
    {
        layout = default;
        if (properties.IsTooLong || properties.Size > VariableByteInteger.MaxValue)
        {
            return false;
        }

        var remaining = others + VariableByteInteger.SizeOf((uint)properties.Size) + properties.Size;
        if (remaining > VariableByteInteger.MaxValue)
        {
            return false;
        }

        layout = new PacketLayout((int)properties.Size, (int)remaining);
        return maximumPacketSize == 0 || (uint)layout.Total <= maximumPacketSize;
    }

    /// <summary>Takes the span for the whole packet and writes its fixed header.</summary>
    public WireWriter Begin(IBufferWriter<byte> output, PacketType type, int flags = 0)
    {
        var writer = new WireWriter(output.GetSpan(Total));
        writer.Byte((byte)(((int)type << 4) | flags));
        writer.VariableInteger((uint)Remaining);
        return writer;
    }

    /// <summary>Hands the packet to the output.</summary>
    public int End(IBufferWriter<byte> output, in WireWriter writer)
    {
        System.Diagnostics.Debug.Assert(writer.Position == Total, "size and bytes disagree");
        output.Advance(Total);
        return Total;
    }
}
