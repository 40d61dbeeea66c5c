namespace Trunkline.Transports;

/// <summary>Stands in until an owner is set: leaves all bytes where they are.</summary>
internal sealed class UnsetHandler : ITransportHandler
{
    public static readonly UnsetHandler Instance = new();

    public int OnReceived(ReadOnlySpan<byte> bytes) => 0;

    public void OnWritable()
    {
    }

    public void OnClosed(TransportCloseReason reason)
    {
    }
}
