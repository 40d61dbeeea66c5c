using System.Globalization;

namespace Trunkline.Loadtest;

/// <summary>Figures as people read them.</summary>
internal static class Units
{
    /// <summary>Microseconds as us, ms or s, three digits.</summary>
    public static string Time(double us) => us switch
    {
        < 1e3 => $"{Digits(us)} us",
        < 1e6 => $"{Digits(us / 1e3)} ms",
        _ => $"{Digits(us / 1e6)} s",
    };

    /// <summary>Bytes as B, KiB, MiB or GiB.</summary>
    public static string Bytes(double bytes) => Math.Abs(bytes) switch
    {
        < 1024 => $"{Digits(bytes)} B",
        < 1 << 20 => $"{Digits(bytes / 1024)} KiB",
        < 1 << 30 => $"{Digits(bytes / (1 << 20))} MiB",
        _ => $"{Digits(bytes / (1 << 30))} GiB",
    };

    /// <summary>A count with separators.</summary>
    public static string Count(double number) => number.ToString(Math.Abs(number) < 100 && number != Math.Floor(number) ? "0.##" : "#,0", CultureInfo.InvariantCulture);

    /// <summary>A share in percent.</summary>
    public static string Percent(double share) => $"{Digits(share * 100)}%";

    private static string Digits(double value) => value.ToString(
        Math.Abs(value) switch { < 10 => "0.##", < 100 => "0.#", _ => "0" }, CultureInfo.InvariantCulture);
}
