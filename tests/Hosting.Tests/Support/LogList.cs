using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Trunkline.Hosting.Tests.Support;

/// <summary>Keeps log lines.</summary>
internal sealed class LogList : ILogger
{
    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>Returns when a line fits: what a peer sees may come before the line about it.</summary>
    public Task AwaitLineAsync(Func<string, bool> fits) =>
        Eventually.HoldsAsync(() => Lines.Any(fits), () => $"a line of the log; it has\n{string.Join('\n', Lines)}");

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue($"{eventId.Id} {formatter(state, exception)} {exception}");
}
