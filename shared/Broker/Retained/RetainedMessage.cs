using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>The retained message of one topic; replaced, never changed.</summary>
/// <param name="Properties">The forwardable properties, encoded.</param>
/// <param name="Payload">The application message.</param>
/// <param name="QoS">The QoS it was published with.</param>
/// <param name="ExpiresAtMs">When it expires on the loop's clock; <see cref="long.MaxValue"/> for never.</param>
/// <param name="Origin">The publishing session, for No Local; 0 when unknown.</param>
/// <param name="Sequence">The number of the change that made it.</param>
/// <param name="Position">Its place in the log; of one that is not logged (QoS 0) that of the newest change before it that is.</param>
internal sealed record RetainedMessage(
    byte[] Properties, byte[] Payload, QoS QoS, long ExpiresAtMs, ulong Origin, ulong Sequence, LogPosition Position)
{
    /// <summary>What it counts for against the byte limit, without its topic.</summary>
    public int Size => Properties.Length + Payload.Length;
}
