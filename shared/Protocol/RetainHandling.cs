namespace Trunkline.Protocol;

/// <summary>When a subscription is answered with retained messages (5.0 subscription options, bits 4 and 5).</summary>
public enum RetainHandling : byte
{
    /// <summary>At every SUBSCRIBE; the behaviour of 3.x.</summary>
    SendAtSubscribe = 0,

    /// <summary>Only where the subscription did not exist yet.</summary>
    SendIfNew = 1,

    /// <summary>Never.</summary>
    DoNotSend = 2,
}
