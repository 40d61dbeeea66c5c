namespace Trunkline.Transports;

/// <summary>Takes new connections of a listener.</summary>
public interface IConnectionAcceptor
{
    /// <summary>
    /// A connection came; called on its loop, before its first bytes. Sets <see cref="Transport.Handler"/>, or closes it.
    /// </summary>
    void OnAccepted(Transport transport);
}
