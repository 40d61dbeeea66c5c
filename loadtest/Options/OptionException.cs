namespace Trunkline.Loadtest;

/// <summary>What is wrong with an option's value, as a sentence.</summary>
internal sealed class OptionException(string message) : Exception(message);
