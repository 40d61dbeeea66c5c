using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Trunkline.Hosting.Metrics;

namespace Trunkline.Hosting.Management;

/// <summary>
/// The management port of a process: <c>/healthz</c> (alive), <c>/startupz</c> (everything it needs was there once),
/// <c>/readyz</c> (serves), <c>/metrics</c>, and what the program adds. The bodies say how the parts stand.
/// </summary>
public sealed class ManagementServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly PrometheusExporter _exporter;
    private readonly ManagementDoor _door;

    private ManagementServer(WebApplication application, PrometheusExporter exporter, ManagementDoor door)
    {
        _application = application;
        _exporter = exporter;
        _door = door;
    }

    /// <summary>The port it listens on.</summary>
    public int Port => new Uri(_application.Urls.First()).Port;

    /// <summary>Starts it.</summary>
    /// <param name="options">Where to listen, and for how many at a time; validated.</param>
    /// <param name="loggers">Where ASP.NET Core's own warnings go.</param>
    /// <param name="health">How the process stands. Any thread.</param>
    /// <param name="services">Adds what the program's endpoints need; may be null.</param>
    /// <param name="endpoints">Adds the program's endpoints; may be null.</param>
    /// <exception cref="ListenerStartException">The address is in use or not ours; the message says who holds it.</exception>
    public static async Task<ManagementServer> StartAsync(
        ManagementOptions options,
        ILoggerFactory loggers,
        Func<HealthReport> health,
        Action<IServiceCollection>? services = null,
        Action<WebApplication>? endpoints = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        IPEndPoint address = options.EndPoint!;
        var door = new ManagementDoor(options.MaximumConnections);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Configuration.Sources.Clear();
        builder.Services.AddSingleton(loggers);
        builder.Services.Configure<JsonOptions>(json => json.SerializerOptions.WriteIndented = true);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(address, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(door.Guard);
            });
        });
        services?.Invoke(builder.Services);
        WebApplication application = builder.Build();
        var exporter = new PrometheusExporter();
        application.MapGet("/healthz", () => Results.Text("ok\n"));
        application.MapGet("/startupz", () => Answer(health(), report => report.HasStarted));
        application.MapGet("/readyz", () => Answer(health(), report => report.IsReady));
        application.MapGet("/metrics", () => Results.Text(exporter.Render(), "text/plain; version=0.0.4; charset=utf-8"));
        endpoints?.Invoke(application);
        var server = new ManagementServer(application, exporter, door);
        try
        {
            await application.StartAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw new ListenerStartException(
            [
                $"The management port {address} cannot be opened: {exception.Message} {PortHolder.Describe(address.Port)} "
                + "Stop it, or choose another with --management-port (Management:Address).",
            ]);
        }

        return server;
    }

    private static IResult Answer(HealthReport report, Func<HealthReport, bool> isGood)
    {
        bool good = isGood(report);
        string text = string.Concat(report.Lines.Prepend(good ? "ok" : "not ok").Select(line => line + "\n"));
        return Results.Text(text, statusCode: good ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync().ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
        _exporter.Dispose();
        _door.Dispose();
    }
}
