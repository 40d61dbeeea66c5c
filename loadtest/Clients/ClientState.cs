namespace Trunkline.Loadtest;

/// <summary>Where a client is.</summary>
internal enum ClientState : byte
{
    /// <summary>No connection.</summary>
    Idle,

    /// <summary>The transport is being made.</summary>
    Dialling,

    /// <summary>CONNECT is sent.</summary>
    Connecting,

    /// <summary>SUBSCRIBE is sent.</summary>
    Subscribing,

    /// <summary>It stands.</summary>
    Ready,

    /// <summary>We are closing it.</summary>
    Closing,
}
