using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Made transports: names and counts them.</summary>
internal interface ITransportOwner
{
    /// <summary>The listener that took its transports, or the connector that made them.</summary>
    ListenerIdentity Identity { get; }

    /// <summary>The transport ends: its descriptor goes in this very step, behind this call. On its loop.</summary>
    void OnTransportClosed(Transport transport, TransportCloseReason reason);
}
