namespace Trunkline.Protocol;

/// <summary>Quality of service of a message or a subscription.</summary>
public enum QoS : byte
{
    /// <summary>QoS 0.</summary>
    AtMostOnce = 0,

    /// <summary>QoS 1.</summary>
    AtLeastOnce = 1,

    /// <summary>QoS 2.</summary>
    ExactlyOnce = 2,
}
