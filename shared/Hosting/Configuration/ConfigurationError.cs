namespace Trunkline.Hosting.Configuration;

/// <summary>One thing wrong with the configuration.</summary>
/// <param name="Path">The key, as <c>Section:Key</c>.</param>
/// <param name="Problem">What is wrong.</param>
/// <param name="Fix">What to do about it.</param>
public sealed record ConfigurationError(string Path, string Problem, string Fix)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Path}: {Problem} {Fix}";
}
