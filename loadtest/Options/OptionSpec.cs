namespace Trunkline.Loadtest;

/// <summary>One option: how it is written, what it is for, what it does to the options.</summary>
/// <param name="Names">-c, --count; the first long one is shown.</param>
/// <param name="Value">Name of its value in the help; null for a switch, which may be followed by true or false.</param>
/// <param name="Help">One line.</param>
/// <param name="Apply">Returns the options with it; throws <see cref="OptionException"/>.</param>
internal sealed record OptionSpec(string[] Names, string? Value, string Help, Func<LoadOptions, string, LoadOptions> Apply)
{
    /// <summary>How the help writes it.</summary>
    public string Usage => string.Join(", ", Names.Take(2)) + (Value is null ? "" : " " + Value);
}
