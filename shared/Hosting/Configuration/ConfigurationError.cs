namespace Trunkline.Hosting.Configuration;

/// <summary>One thing wrong with the configuration.</summary>
/// <param name="Path">The key, as <c>Section:Key</c>.</param>
/// <param name="Problem">What is wrong.</param>
/// <param name="Fix">What to do about it.</param>
public sealed record ConfigurationError(string Path, string Problem, string Fix)
{
    /// <summary>Takes apart a sentence that begins with its path.</summary>
    public static ConfigurationError FromSentence(string sentence)
    {
        int end = sentence.IndexOf(' ', StringComparison.Ordinal);
        return new ConfigurationError(sentence[..end].TrimEnd(':'), sentence[(end + 1)..], "");
    }

    /// <summary>Writes every error and their number; returns whether there was any.</summary>
    public static bool Report(IReadOnlyCollection<ConfigurationError> errors, TextWriter output)
    {
        foreach (ConfigurationError error in errors)
        {
            output.WriteLine(error);
        }

        if (errors.Count > 0)
        {
            output.WriteLine($"{errors.Count} error{(errors.Count == 1 ? "" : "s")} in the configuration; docs/CONFIGURATION.md has every key.");
        }

        return errors.Count > 0;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Path}: {Problem} {Fix}".TrimEnd();
}
