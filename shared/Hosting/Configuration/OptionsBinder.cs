using System.Collections;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Trunkline.Hosting.Configuration;

/// <summary>
/// Fills option records from configuration, strictly: every key that no property has, and every value that does not
/// convert, becomes an error with its path and its fix, all at once. Runs at start only.
/// </summary>
public sealed class OptionsBinder
{
    private readonly List<ConfigurationError> _errors = [];

    /// <summary>What was wrong so far.</summary>
    public ICollection<ConfigurationError> Errors => _errors;

    /// <summary>Makes a record of type <typeparamref name="T"/> with the defaults of its properties and what <paramref name="section"/> sets.</summary>
    public T Bind<T>(IConfiguration section, string path = "")
        where T : class => (T)BindObject(typeof(T), section, path);

    private object BindObject(Type type, IConfiguration section, string path)
    {
        object options = Activator.CreateInstance(type)
            ?? throw new InvalidOperationException($"{type.Name} has no parameterless constructor.");
        Dictionary<string, PropertyInfo> properties = KeysOf(type);
        foreach (IConfigurationSection child in section.GetChildren())
        {
            string childPath = path.Length == 0 ? child.Key : $"{path}:{child.Key}";
            if (!properties.TryGetValue(child.Key, out PropertyInfo? property))
            {
                string? nearest = NearestName.Of(child.Key, properties.Keys);
                string known = string.Join(", ", properties.Keys.Order(StringComparer.Ordinal));
                _errors.Add(new ConfigurationError(
                    childPath, "is not a known key.", nearest is null ? $"Known here: {known}." : $"Did you mean {nearest}?"));
                continue;
            }

            if (Convert(property.PropertyType, child, $"{(path.Length == 0 ? "" : path + ":")}{KeyOf(property)}", out object? value))
            {
                property.SetValue(options, value);
            }
        }

        return options;
    }

    /// <summary>The keys a record has, each with its property; durations are keys that end in Ms.</summary>
    internal static Dictionary<string, PropertyInfo> KeysOf(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is not null)
            .ToDictionary(KeyOf, StringComparer.OrdinalIgnoreCase);

    private static string KeyOf(PropertyInfo property) =>
        property.PropertyType == typeof(TimeSpan) ? property.Name + "Ms" : property.Name;

    private bool Convert(Type type, IConfigurationSection section, string path, out object? value)
    {
        Type plain = Nullable.GetUnderlyingType(type) ?? type;
        if (ItemTypeOf(plain) is { } itemType)
        {
            value = BindList(itemType, section, path);
            return true;
        }

        if (plain.IsClass && plain != typeof(string))
        {
            if (section.Value is { Length: > 0 })
            {
                value = null;
                _errors.Add(new ConfigurationError(path, "is a section, not a single value.", $"Known there: {string.Join(", ", KeysOf(plain).Keys.Order(StringComparer.Ordinal))}."));
                return false;
            }

            value = BindObject(plain, section, path);
            return true;
        }

        value = null;
        if (section.Value is not { } text)
        {
            bool isSection = section.GetChildren().Any();
            _errors.Add(new ConfigurationError(
                path, isSection ? "is a single value, not a section." : "has no value.", $"Give it {Describe(plain)}."));
            return false;
        }

        if (TryParse(plain, text, out value))
        {
            return true;
        }

        _errors.Add(new ConfigurationError(path, $"\"{text}\" does not fit.", $"Give it {Describe(plain)}."));
        return false;
    }

    /// <summary>Items by number, or all in one text with commas, as suits a variable or a flag.</summary>
    private IList BindList(Type itemType, IConfigurationSection section, string path)
    {
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(itemType))!;
        if (section.Value is { Length: > 0 } && itemType.IsClass && itemType != typeof(string))
        {
            _errors.Add(new ConfigurationError(path, "is a list of sections, not a text.", $"Write {path}:0:..., {path}:1:..."));
        }
        else if (section.Value is { } joined)
        {
            foreach (string part in joined.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (TryParse(itemType, part, out object? item))
                {
                    list.Add(item);
                }
                else
                {
                    _errors.Add(new ConfigurationError(path, $"\"{part}\" does not fit.", $"Give it {Describe(itemType)}, separated by commas."));
                }
            }
        }

        foreach (IConfigurationSection child in section.GetChildren().OrderBy(child => child.Key, NumericOrder))
        {
            string childPath = $"{path}:{child.Key}";
            if (!int.TryParse(child.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                _errors.Add(new ConfigurationError(childPath, "is not an item of a list.", $"Number the items: {path}:0, {path}:1, ..."));
            }
            else if (Convert(itemType, child, childPath, out object? item))
            {
                list.Add(item);
            }
        }

        return list;
    }

    private static Type? ItemTypeOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() is { } generic
        && (generic == typeof(IReadOnlyList<>) || generic == typeof(IList<>) || generic == typeof(List<>))
            ? type.GetGenericArguments()[0]
            : null;

    private static bool TryParse(Type type, string text, out object? value)
    {
        value = null;
        CultureInfo culture = CultureInfo.InvariantCulture;
        if (type == typeof(string))
        {
            value = text;
        }
        else if (type == typeof(bool))
        {
            value = bool.TryParse(text, out bool flag) ? flag : null;
        }
        else if (type == typeof(double))
        {
            value = double.TryParse(text, NumberStyles.Float, culture, out double number) ? number : null;
        }
        else if (type == typeof(TimeSpan))
        {
            // Beyond int.MaxValue (24 days) a duration would not fit a timer.
            value = int.TryParse(text, NumberStyles.None, culture, out int milliseconds) ? TimeSpan.FromMilliseconds(milliseconds) : null;
        }
        else if (type.IsEnum)
        {
            value = ParseEnum(type, text);
        }
        else if (long.TryParse(text, NumberStyles.AllowLeadingSign, culture, out long whole))
        {
            try
            {
                value = System.Convert.ChangeType(whole, type, culture);
            }
            catch (OverflowException)
            {
                return false;
            }
        }

        return value is not null;
    }

    /// <summary>Names may be written as in documentation: <c>aof-always</c> means <c>AofAlways</c>; QoS may be its number.</summary>
    private static object? ParseEnum(Type type, string text)
    {
        if (text.Contains(',', StringComparison.Ordinal))
        {
            // Enum.TryParse would add the names up.
            return null;
        }

        string name = text.Replace("-", "", StringComparison.Ordinal);
        return Enum.TryParse(type, name, ignoreCase: true, out object? value) && Enum.IsDefined(type, value!) ? value : null;
    }

    private static string Describe(Type type) =>
        type == typeof(bool) ? "true or false"
        : type == typeof(string) ? "a text"
        : type.IsEnum ? "one of " + string.Join(", ", Enum.GetNames(type))
        : type == typeof(double) ? "a number"
        : type == typeof(TimeSpan) ? "a whole number of milliseconds"
        : "a whole number";

    private static readonly Comparer<string> NumericOrder = Comparer<string>.Create((left, right) =>
        int.TryParse(left, CultureInfo.InvariantCulture, out int a) && int.TryParse(right, CultureInfo.InvariantCulture, out int b)
            ? a.CompareTo(b)
            : string.CompareOrdinal(left, right));
}
