using System.Collections;
using System.Globalization;
using System.Reflection;
using Trunkline.Protocol;

namespace Trunkline.ProxyTests.Docs;

/// <summary>The keys of an options record with their defaults, as docs/CONFIGURATION.md writes them.</summary>
internal static class OptionKeys
{
    public static Dictionary<string, string> Of(object options)
    {
        var keys = new Dictionary<string, string>(StringComparer.Ordinal);
        Collect(options, "", keys);
        return keys;
    }

    private static void Collect(object options, string prefix, Dictionary<string, string> keys)
    {
        foreach (PropertyInfo property in options.GetType().GetProperties().Where(property => property.SetMethod is not null))
        {
            object? value = property.GetValue(options);
            Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (type.IsGenericType && type.GetGenericArguments()[0] is { } item && item != typeof(string))
            {
                Collect(Activator.CreateInstance(item)!, $"{prefix}{property.Name}:{{n}}:", keys);
            }
            else if (type.IsClass && type != typeof(string) && !type.IsGenericType)
            {
                Collect(value!, $"{prefix}{property.Name}:", keys);
            }
            else
            {
                keys.Add(prefix + property.Name + (type == typeof(TimeSpan) ? "Ms" : ""), Write(value));
            }
        }
    }

    private static string Write(object? value) => value switch
    {
        null or "" => "-",
        bool flag => flag ? "true" : "false",
        TimeSpan time => time.TotalMilliseconds.ToString(CultureInfo.InvariantCulture),
        QoS qos => ((int)qos).ToString(CultureInfo.InvariantCulture),
        Enum name => name.ToString().ToLowerInvariant(),
        string text => text,
        IEnumerable list => list.Cast<object>().Any() ? string.Join(", ", list.Cast<object>()) : "[]",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
