namespace Trunkline.Transports;

/// <summary>Hears how dialling ended.</summary>
public interface IConnectAttempt
{
    /// <summary>Connected; on the loop, before the first bytes. Sets <see cref="Transport.Handler"/>, or closes it.</summary>
    void OnConnected(Transport transport);

    /// <summary>Not connected; <paramref name="reason"/> is a sentence for the log.</summary>
    void OnConnectFailed(string reason);
}
