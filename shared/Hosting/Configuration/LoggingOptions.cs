using Microsoft.Extensions.Logging;

namespace Trunkline.Hosting.Configuration;

/// <summary>How a program logs.</summary>
public sealed record LoggingOptions
{
    /// <summary>Lines below this level are left out.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>One line of text or one JSON object per event.</summary>
    public LogFormat Format { get; init; } = LogFormat.Text;

    /// <summary>The factory these options describe; lines go to standard output.</summary>
    public ILoggerFactory CreateFactory() => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(Level);
        builder.AddFilter("Microsoft", LogLevel.Warning);
        builder.AddFilter("Yarp", LogLevel.Warning);
        if (Format == LogFormat.Json)
        {
            builder.AddJsonConsole(console =>
            {
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
                console.UseUtcTimestamp = true;
            });
        }
        else
        {
            builder.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
                console.UseUtcTimestamp = true;
            });
        }
    });
}

/// <summary>The shapes of a log line.</summary>
public enum LogFormat
{
    /// <summary>For people.</summary>
    Text,

    /// <summary>For machines.</summary>
    Json,
}
