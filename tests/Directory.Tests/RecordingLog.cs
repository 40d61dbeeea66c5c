using Microsoft.Extensions.Logging;

namespace Trunkline.Directory.Tests;

/// <summary>Keeps what was logged.</summary>
internal sealed class RecordingLog : ILogger
{
    private readonly List<(int Id, string Text)> _lines = [];

    public string[] Of(int id)
    {
        lock (_lines)
        {
            return [.. _lines.Where(l => l.Id == id).Select(l => l.Text)];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add((eventId.Id, formatter(state, exception)));
        }
    }
}
