namespace Trunkline.Tool.Host;

/// <summary>One thing looked at on a machine.</summary>
/// <param name="Name">What: a kernel setting by its name, or words.</param>
/// <param name="Value">What the machine has, as a person reads it.</param>
/// <param name="Advice">What to change and why; null when it is good as it is.</param>
internal sealed record HostFinding(string Name, string Value, string? Advice)
{
    /// <summary>Whether it is good as it is.</summary>
    public bool IsGood => Advice is null;
}
