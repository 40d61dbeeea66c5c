namespace Trunkline.Transports;

/// <summary>A transport's condition in one word.</summary>
[Flags]
internal enum TransportState : ushort
{
    None = 0,
    Paused = 1,
    Ready = 1 << 1,
    Dirty = 1 << 2,
    Moving = 1 << 3,
    AboveHigh = 1 << 4,
    WritableDue = 1 << 5,
    PresentRest = 1 << 6,

    /// <summary>The last send was refused; wait for the peer to take something.</summary>
    Blocked = 1 << 7,

    /// <summary>Closed gracefully from this side, bytes may still wait.</summary>
    Closing = 1 << 8,

    /// <summary>Dropped from this side.</summary>
    Aborting = 1 << 9,

    /// <summary>Ended by the peer or by an error: one last attempt to send, then gone.</summary>
    Failed = 1 << 10,

    /// <summary>The handler has been told, or is being told.</summary>
    Closed = 1 << 11,

    /// <summary>Inside <see cref="Transport.SendOutput"/>: what that writes below may make the loop send early, but not this one again.</summary>
    Sending = 1 << 12,

    /// <summary>What is unsent leaves by a permission, which is looked at directly before the system call that sends.</summary>
    Permitted = 1 << 13,

    /// <summary>That permission had grown old: nothing leaves until it is given anew.</summary>
    Withheld = 1 << 14,

    /// <summary>Bytes have left since all was sent at the end of a turn: the first unsent one may be amid a packet.</summary>
    PartlySent = 1 << 15,

    Ending = Closing | Aborting | Failed,
}
