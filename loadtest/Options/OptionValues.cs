using System.Globalization;
using Trunkline.Protocol;

namespace Trunkline.Loadtest;

/// <summary>Reads values of options; what is wrong becomes a sentence.</summary>
internal static class OptionValues
{
    /// <summary>A whole number within limits.</summary>
    public static long Whole(string text, long least, long most) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) && value >= least && value <= most
            ? value
            : throw new OptionException($"\"{text}\" must be a whole number from {least} to {most}.");

    /// <summary>A number that is not negative.</summary>
    public static double Number(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
            ? value
            : throw new OptionException($"\"{text}\" must be a number.");

    /// <summary>true or false.</summary>
    public static bool Switch(string text) => text switch
    {
        "" or "true" => true,
        "false" => false,
        _ => throw new OptionException($"\"{text}\" must be true or false."),
    };

    /// <summary>3, 4 or 5 as emqtt-bench has it; 3.1, 3.1.1 and 5.0 too.</summary>
    public static ProtocolVersion Version(string text) => text switch
    {
        "3" or "3.1" or "31" => ProtocolVersion.Mqtt31,
        "4" or "3.1.1" or "311" => ProtocolVersion.Mqtt311,
        "5" or "5.0" => ProtocolVersion.Mqtt50,
        _ => throw new OptionException($"\"{text}\" is no version: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0."),
    };

    /// <summary>1 or v1, 2 or v2.</summary>
    public static int ProxyVersion(string text) => text switch
    {
        "1" or "v1" => 1,
        "2" or "v2" => 2,
        _ => throw new OptionException($"\"{text}\" must be 1 (text) or 2 (binary)."),
    };
}
