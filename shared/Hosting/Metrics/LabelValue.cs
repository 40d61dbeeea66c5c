namespace Trunkline.Hosting.Metrics;

/// <summary>Label values in the customary form.</summary>
public static class LabelValue
{
    /// <summary><c>KeepAliveTimeout</c> becomes <c>keep_alive_timeout</c>.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum =>
        string.Concat(value.ToString().Select((letter, i) =>
            char.IsUpper(letter) && i > 0 ? "_" + char.ToLowerInvariant(letter) : char.ToLowerInvariant(letter).ToString()));
}
