using System.Buffers;

namespace Trunkline.Sessions;

/// <summary>What a channel needs of the connection that carries it. Every call comes from the channel's loop.</summary>
public interface IChannelHost
{
    /// <summary>Where packets are written; they leave at the end of the loop's turn.</summary>
    IBufferWriter<byte> Output { get; }

    /// <summary>Whether the device reads more slowly than we write; <see cref="Channel.OnWritable"/> tells the end of it.</summary>
    bool IsCongested { get; }

    /// <summary>
    /// A client asks to connect: authenticate, claim the identifier, then answer by <see cref="Channel.Open"/> or
    /// <see cref="Channel.Refuse"/>, now or later, on the channel's loop. Until then the channel reads nothing.
    /// </summary>
    void BeginConnect(ConnectRequest request);

    /// <summary>
    /// Whether this loop owns the client identifier. One identifier always lives on one loop of a node, so that take-over
    /// and look-up need no lock.
    /// </summary>
    bool BelongsHere(ReadOnlySpan<byte> clientId);

    /// <summary>
    /// Moves the connection to the loop that owns the identifier; the unread bytes, CONNECT first, are presented there
    /// after <see cref="Channel.Enter"/>.
    /// </summary>
    void MoveToOwner(string clientId);

    /// <summary>Stop handing in bytes.</summary>
    void PauseReading();

    /// <summary>Hand in bytes again, those left over first.</summary>
    void ResumeReading();

    /// <summary>
    /// What is written next leaves by a permission of the directory that held at <paramref name="sinceMs"/>, in the loop's
    /// milliseconds. When it has grown old before it leaves, <see cref="Channel.OnWithheld"/> is called instead.
    /// </summary>
    void MarkPermitted(long sinceMs);

    /// <summary>The directory has permitted anew what is unsent.</summary>
    void SendWithheld(long sinceMs);

    /// <summary>Nothing that was written by a permission and has not left may leave any more.</summary>
    void DropPermitted();

    /// <summary>The channel is done; what it wrote last still leaves, then the connection closes. Called once.</summary>
    void Close(in ChannelClose close);
}

/// <summary>Why a channel closes.</summary>
/// <param name="Cause">The kind, for counters.</param>
/// <param name="Reason">The MQTT reason code sent or received.</param>
/// <param name="Detail">A sentence for the log; null for none.</param>
public readonly record struct ChannelClose(CloseCause Cause, Protocol.ReasonCode Reason, string? Detail);

/// <summary>The kinds of ending a channel has; contracts of the metrics.</summary>
public enum CloseCause
{
    /// <summary>The client sent DISCONNECT.</summary>
    ClientDisconnect,

    /// <summary>The transport ended without DISCONNECT.</summary>
    TransportClosed,

    /// <summary>No CONNECT within its deadline [MQTT-3.1.0-1].</summary>
    ConnectDeadline,

    /// <summary>The CONNECT was refused.</summary>
    ConnectRefused,

    /// <summary>The client identifier of the CONNECT could not be claimed in time.</summary>
    ClaimDeadline,

    /// <summary>Nothing came for one and a half keep alives [MQTT-3.1.2-22].</summary>
    KeepAliveTimeout,

    /// <summary>A malformed packet or one the protocol forbids.</summary>
    ProtocolError,

    /// <summary>A limit of ours was passed (size, window, aliases).</summary>
    LimitExceeded,

    /// <summary>Another connection took the client identifier.</summary>
    TakenOver,

    /// <summary>The group a 3.x publish needed stayed away too long.</summary>
    GroupAway,

    /// <summary>The server shuts down.</summary>
    ServerShutdown,

    /// <summary>Someone with the right closed it.</summary>
    Administrative,
}
