namespace Trunkline.Protocol;

/// <summary>One packet in the receive buffer: its first byte and its body, in place.</summary>
/// <param name="firstByte">Packet type and flags.</param>
/// <param name="body">What follows the remaining length.</param>
/// <param name="totalLength">Header and body, in bytes.</param>
public readonly ref struct Frame(byte firstByte, ReadOnlySpan<byte> body, int totalLength)
{
    /// <summary>Packet type (upper four bits) and flags (lower four).</summary>
    public byte FirstByte { get; } = firstByte;

    /// <summary>The packet's type.</summary>
    public PacketType Type => (PacketType)(FirstByte >> 4);

    /// <summary>The four flag bits.</summary>
    public int Flags => FirstByte & 0x0F;

    /// <summary>Variable header and payload.</summary>
    public ReadOnlySpan<byte> Body { get; } = body;

    /// <summary>Header and body, in bytes: what to consume from the buffer.</summary>
    public int TotalLength { get; } = totalLength;
}
