namespace Trunkline.Protocol;

/// <summary>Why bytes were refused: a value, never an exception. The well-known ones are in <see cref="ProtocolErrors"/>.</summary>
/// <param name="Code">The 5.0 reason code for CONNACK or DISCONNECT.</param>
/// <param name="Clause">Where the specification says so; 5.0 first, then 3.1.1 where its number differs.</param>
/// <param name="Message">What is wrong, in words for a log and a reason string.</param>
public readonly record struct ProtocolError(ReasonCode Code, string Clause, string Message);
