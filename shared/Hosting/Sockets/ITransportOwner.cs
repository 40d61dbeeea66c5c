using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Made transports: names and counts them.</summary>
internal interface ITransportOwner
{
    /// <summary>The listener that took its transports, or the connector that made them.</summary>
    ListenerIdentity Identity { get; }

    /// <summary>The transport's descriptor is gone; on its loop.</summary>
    void OnTransportClosed(Transport transport, TransportCloseReason reason);
}
