using Microsoft.Extensions.Logging;

namespace Trunkline.Broker.Tests.Support;

/// <summary>Counts log lines by their event's number.</summary>
internal sealed class LineCounts : ILogger
{
    private readonly Dictionary<int, int> _lines = [];

    public int this[int id] => _lines.GetValueOrDefault(id);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines[eventId.Id] = this[eventId.Id] + 1;
}
