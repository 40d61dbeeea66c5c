using Trunkline.Transports;

namespace Trunkline.Loadtest;

/// <summary>Hears the end of a connection that its client has given up.</summary>
internal sealed class ForgottenConnection : ITransportHandler
{
    /// <inheritdoc/>
    public int OnReceived(ReadOnlySpan<byte> bytes) => bytes.Length;

    /// <inheritdoc/>
    public void OnWritable()
    {
    }

    /// <inheritdoc/>
    public void OnClosed(TransportCloseReason reason)
    {
    }
}
