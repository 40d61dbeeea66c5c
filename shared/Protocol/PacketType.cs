namespace Trunkline.Protocol;

/// <summary>The control packet types: the upper four bits of a packet's first byte.</summary>
public enum PacketType : byte
{
    /// <summary>Client asks for a connection.</summary>
    Connect = 1,

    /// <summary>Server answers CONNECT.</summary>
    ConnAck = 2,

    /// <summary>A message, either direction.</summary>
    Publish = 3,

    /// <summary>Acknowledges a QoS 1 message.</summary>
    PubAck = 4,

    /// <summary>QoS 2, first answer: received.</summary>
    PubRec = 5,

    /// <summary>QoS 2, sender releases the packet id.</summary>
    PubRel = 6,

    /// <summary>QoS 2, last answer: complete.</summary>
    PubComp = 7,

    /// <summary>Client subscribes.</summary>
    Subscribe = 8,

    /// <summary>Server answers SUBSCRIBE.</summary>
    SubAck = 9,

    /// <summary>Client unsubscribes.</summary>
    Unsubscribe = 10,

    /// <summary>Server answers UNSUBSCRIBE.</summary>
    UnsubAck = 11,

    /// <summary>Client asks for a sign of life.</summary>
    PingReq = 12,

    /// <summary>Server answers PINGREQ.</summary>
    PingResp = 13,

    /// <summary>Ends a connection; from the server in 5.0 only.</summary>
    Disconnect = 14,

    /// <summary>Enhanced authentication, 5.0 only.</summary>
    Auth = 15,
}
