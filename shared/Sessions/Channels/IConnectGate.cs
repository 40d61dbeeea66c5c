namespace Trunkline.Sessions;

/// <summary>
/// Decides on a CONNECT: authenticates, claims the client identifier. Answers by <see cref="Channel.Open"/> or
/// <see cref="Channel.Refuse"/>, now or later, on the channel's loop.
/// </summary>
public interface IConnectGate
{
    /// <summary>A client asks to connect; the channel reads nothing until it is answered.</summary>
    void Ask(ConnectRequest request, Channel channel);

    /// <summary>A channel is over: for counters, logs and what the gate keeps per connection.</summary>
    void Closed(Channel channel, in ChannelClose close);
}
