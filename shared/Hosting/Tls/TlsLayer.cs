using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>TLS over another transport, whoever does the cryptography.</summary>
internal abstract class TlsLayer(Transport inner) : LayerTransport(inner)
{
    /// <summary>Runs until the handshake has ended, well or not.</summary>
    public LoopTimer? Deadline { get; set; }
}
