using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Sessions;

public sealed partial class Channel
{
    /// <summary>
    /// Ends the connection from our side: 5.0 is told why by DISCONNECT [MQTT-3.14.0-1], 3.x sees the connection close.
    /// The will is published, for the client did not ask to leave [MQTT-3.1.2-8].
    /// </summary>
    public void Disconnect(CloseCause cause, ReasonCode reason, string? detail)
    {
        if (_state == State.Closed)
        {
            return;
        }

        if (_state == State.Open && _version == ProtocolVersion.Mqtt50)
        {
            PacketWriter.WriteDisconnect(
                _host.Output,
                _version,
                new DisconnectPacket { ReasonCode = Sayable(PacketType.Disconnect, reason), ReasonString = detail is null ? default : Encoding.UTF8.GetBytes(detail) },
                _maximumPacketSize);
        }

        Close(cause, reason, detail);
    }

    /// <summary>
    /// Another connection takes the client identifier [MQTT-3.1.4-3]. What the session permitted to send and did not leave is
    /// the other's now: a connection that is slow to take it would get it beside that one.
    /// </summary>
    public void TakeOver()
    {
        if (_state == State.Open)
        {
            _host.DropPermitted();
        }

        Disconnect(CloseCause.TakenOver, ReasonCode.SessionTakenOver, null);
    }

    /// <summary>The transport is gone; nothing more can be sent.</summary>
    /// <param name="detail">Why, in a sentence for the log; null when the peer just closed it.</param>
    public void OnTransportClosed(string? detail) =>
        Close(CloseCause.TransportClosed, ReasonCode.UnspecifiedError, detail);

    private bool ReceiveDisconnect(in Frame frame, out ProtocolError error)
    {
        if (!DisconnectPacket.TryParse(frame, _version, PacketSender.Client, out DisconnectPacket packet, out error))
        {
            return false;
        }

        Session session = Session!;
        if (packet.SessionExpiryInterval is { } expiry)
        {
            if (!_askedForExpiry && expiry != 0)
            {
                error = ChannelErrors.ExpiryFromZero;
                return false;
            }

            session.ExpirySeconds = uint.Min(expiry, _context.Options.SessionExpiryCapSeconds);
        }

        if (packet.ReasonCode == ReasonCode.Success)
        {
            session.DropWill();
        }

        Close(CloseCause.ClientDisconnect, packet.ReasonCode, null);
        return true;
    }

    /// <summary>
    /// The code a packet of ours may carry: one that the specification does not list for it becomes the general failure
    /// [MQTT-3.2.2-8] [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.9.3-2] [MQTT-3.11.3-2] [MQTT-3.14.2-1].
    /// </summary>
    private static ReasonCode Sayable(PacketType type, ReasonCode reason) =>
        ReasonCodes.IsAllowed(type, PacketSender.Server, reason) ? reason
        : ReasonCodes.IsError(reason) ? ReasonCode.UnspecifiedError : ReasonCode.Success;

    private void Fail(in ProtocolError error)
    {
        if (_state == State.Closed)
        {
            return;
        }

        CloseCause cause = error.Code is ReasonCode.PacketTooLarge or ReasonCode.ReceiveMaximumExceeded
            or ReasonCode.TopicAliasInvalid or ReasonCode.QuotaExceeded
            ? CloseCause.LimitExceeded
            : CloseCause.ProtocolError;
        Disconnect(cause, error.Code, Describe(error));
    }

    private void Close(CloseCause cause, ReasonCode reason, string? detail)
    {
        if (_state == State.Closed)
        {
            return;
        }

        bool wasOpen = _state == State.Open;
        _state = State.Closed;
        _context.Loop.Timers.Cancel(this);
        if (wasOpen)
        {
            _context.Counters.Add(SessionCounter.ChannelsOpen, -1);
            Session!.Detach(this, isSentAway: cause == CloseCause.ServerShutdown);
        }

        if (wasOpen)
        {
            _requestOrAliases = null;
        }

        _host.Close(new ChannelClose(cause, reason, detail));
    }
}
