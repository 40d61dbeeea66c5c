namespace Trunkline.Loadtest;

/// <summary>A message that waits for its acknowledgement.</summary>
/// <param name="Sequence">Its number.</param>
/// <param name="DueNs">When it was due.</param>
/// <param name="IsReceived">QoS 2: PUBREC has come.</param>
internal readonly record struct InFlightMessage(uint Sequence, long DueNs, bool IsReceived);
