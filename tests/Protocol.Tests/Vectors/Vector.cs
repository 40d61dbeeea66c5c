using Trunkline.Protocol.Tests.Support;

namespace Trunkline.Protocol.Tests.Vectors;

/// <summary>
/// One line of the table. <c>Expected</c> is the packet in words (<see cref="Describe"/>), or <c>!Name</c> of the
/// <see cref="ProtocolErrors"/> field; a leading <c>~</c> says that we read these bytes but write others.
/// </summary>
internal sealed record Vector(ProtocolVersion Version, PacketSender Sender, string Source, string Expected)
{
    public byte[] Bytes { get; } = Assembler.Assemble(Source);

    public bool IsError => Expected[0] == '!';

    public bool IsWrittenAlike => !IsError && Expected[0] != '~';

    public string Description => Expected.TrimStart('~', '!');
}
