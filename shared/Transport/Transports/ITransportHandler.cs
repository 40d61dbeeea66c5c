namespace Trunkline.Transports;

/// <summary>
/// The owner of a transport's bytes. Every call comes on the transport's loop, one at a time, never from inside a call
/// the handler makes into its transport. An exception closes this connection with <see cref="TransportCloseReason.HandlerFault"/>.
/// </summary>
public interface ITransportHandler
{
    /// <summary>
    /// Takes bytes and returns how many it is done with. The rest is kept and presented again together with more bytes,
    /// or at once when the handler replaced itself by another. Not called while paused, closing or moving.
    /// The span is valid during the call only.
    /// </summary>
    int OnReceived(ReadOnlySpan<byte> bytes);

    /// <summary><see cref="Transport.UnsentBytes"/> fell to the low-water mark after it had been above the high one.</summary>
    void OnWritable();

    /// <summary>
    /// Output is withheld, because its permission had grown old: <see cref="Transport.SendWithheld"/> or
    /// <see cref="Transport.DropPermitted"/> ends that. May be called more than once. For those who mark their output.
    /// </summary>
    void OnWithheld()
    {
    }

    /// <summary>The connection is gone; called exactly once, after which nothing else is called.</summary>
    void OnClosed(TransportCloseReason reason);
}
