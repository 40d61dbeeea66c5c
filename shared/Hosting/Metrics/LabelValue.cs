using System.Text;

namespace Trunkline.Hosting.Metrics;

/// <summary>Label values in the customary form.</summary>
public static class LabelValue
{
    /// <summary><c>KeepAliveTimeout</c> becomes <c>keep_alive_timeout</c>, <c>PublishedQoS0</c> becomes <c>published_qos0</c>.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum
    {
        // QoS is one word, however it is written.
        string name = value.ToString().Replace("QoS", "Qos", StringComparison.Ordinal);
        var text = new StringBuilder(name.Length + 8);
        for (int i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsUpper(name[i]) && !char.IsUpper(name[i - 1]))
            {
                text.Append('_');
            }

            text.Append(char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }
}
