using System.Buffers;

namespace Trunkline.Hosting;

/// <summary>
/// An attempt to connect that has bytes to say before everything else, TLS and WebSocket included: a PROXY header. A
/// connector asks each attempt whether it is one.
/// </summary>
public interface IConnectPreamble
{
    /// <summary>Writes the bytes; on the loop, as soon as TCP is connected.</summary>
    void WritePreamble(IBufferWriter<byte> output);
}
