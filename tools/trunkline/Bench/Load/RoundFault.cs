namespace Trunkline.Tool.Bench.Load;

/// <summary>A round that does not count: something did not arrive that had to.</summary>
internal sealed class RoundFault(string message) : Exception(message);
