using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Counts the transports it made.</summary>
internal interface ITransportOwner
{
    /// <summary>The transport's descriptor is gone; on its loop.</summary>
    void OnTransportClosed(Transport transport, TransportCloseReason reason);
}
