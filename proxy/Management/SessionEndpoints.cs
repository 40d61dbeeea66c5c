using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Trunkline.Directory;
using Trunkline.Hosting.Devices;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Yarp.ReverseProxy.Forwarder;

namespace Trunkline.Proxy;

/// <summary>
/// <c>GET /sessions/{client id}</c>: what this tier knows of a session. A node that does not hold it passes the request
/// to the node that does, so that any node may be asked; of a session that is away, or whose node does not answer, it shows
/// what the directory has.
/// </summary>
internal static class SessionEndpoints
{
    /// <summary>Set on a request that was passed on once, so that two nodes that disagree do not pass it for ever.</summary>
    private const string PassedOn = "X-Trunkline-Passed-On";

    private const string Path = "/sessions/";
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { new VersionNames() } };
    private static readonly HttpTransformer SameTarget = new RawTargetTransformer();

    public static void AddServices(IServiceCollection services) => services.AddHttpForwarder();

    public static void Map(WebApplication application, Func<ProxyNode?> node)
    {
        IHttpForwarder forwarder = application.Services.GetRequiredService<IHttpForwarder>();
        var client = new HttpMessageInvoker(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
        application.Lifetime.ApplicationStopped.Register(client.Dispose);
        application.MapGet("/sessions/{**clientId}", async (HttpContext http) =>
        {
            string clientId = ClientIdOf(http);
            if (clientId.Length == 0)
            {
                return Results.Text("Name a client id: /sessions/{client id}.\n", statusCode: StatusCodes.Status404NotFound);
            }

            if (node() is not { } serving)
            {
                return Results.Text("The node is starting.\n", statusCode: StatusCodes.Status503ServiceUnavailable);
            }

            SessionView? view = await ViewAsync(serving, clientId);
            if (view is not null)
            {
                return Results.Json(view, Json);
            }

            DirectoryResult<StoredSession> stored = await serving.Directory.ReadSessionAsync(clientId);
            if (!stored.IsOk)
            {
                return Results.Text($"The directory does not answer ({stored.Status}).\n", statusCode: StatusCodes.Status503ServiceUnavailable);
            }

            string? other = http.Request.Headers.ContainsKey(PassedOn) ? null : EndpointOf(serving, stored.Value.Token);
            if (other is not null)
            {
                http.Request.Headers[PassedOn] = "1";
                ForwarderError error = await forwarder.SendAsync(http, $"http://{other}/", client, ForwarderRequestConfig.Empty, SameTarget);
                if (error == ForwarderError.None || http.Response.HasStarted)
                {
                    return Results.Empty;
                }

                http.Response.Clear();
            }

            return StoredSessionView.Of(serving, clientId, stored.Value) is { } away
                ? Results.Json(away, Json)
                : Results.Text($"There is no session of client id {clientId}.\n", statusCode: StatusCodes.Status404NotFound);
        });
    }

    /// <summary>The client id as the request line has it: Kestrel decodes all of a path but %2F, which no longer tells the two apart.</summary>
    private static string ClientIdOf(HttpContext http)
    {
        string target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        int start = target.IndexOf(Path, StringComparison.OrdinalIgnoreCase) + Path.Length;
        int end = target.IndexOf('?', start);
        return Uri.UnescapeDataString(end < 0 ? target[start..] : target[start..end]);
    }

    private static async Task<SessionView?> ViewAsync(ProxyNode node, string clientId)
    {
        SessionContext context = node.Devices.OwnerOf(clientId);
        return await context.Loop.InvokeAsync(() =>
        {
            if (context.Registry.Find(clientId) is not { } session)
            {
                return null;
            }

            DeviceConnection? connection = session.Channel?.Host as DeviceConnection;
            return new SessionView(
                node.Directory.Self.Name,
                connection?.Transport.Remote.ToString(),
                connection?.Transport.Origin.Listener.Name,
                (session.Claim as HeldClaim)?.Token.ToString(),
                session.Describe());
        });
    }

    /// <summary>Where the node of a claim can be asked; null for this one, and for one that is not registered.</summary>
    private static string? EndpointOf(ProxyNode node, SessionToken token) =>
        token.IsNone || token.Node == node.Directory.Self.Id
            ? null
            : node.Directory.Nodes.FirstOrDefault(other => other.Id == token.Node)?.ManagementEndpoint;

    /// <summary>Passes a request on with the path as it came, its escapes untouched.</summary>
    private sealed class RawTargetTransformer : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            string clientId = Uri.EscapeDataString(ClientIdOf(httpContext));
            proxyRequest.RequestUri = new Uri($"{destinationPrefix.TrimEnd('/')}{Path}{clientId}");
        }
    }

    /// <summary>Versions by the names that people know: 3.1, 3.1.1, 5.0.</summary>
    private sealed class VersionNames : JsonConverter<ProtocolVersion>
    {
        public override ProtocolVersion Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("Session pages are only written.");

        public override void Write(Utf8JsonWriter writer, ProtocolVersion value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value switch
            {
                ProtocolVersion.Mqtt31 => "3.1",
                ProtocolVersion.Mqtt311 => "3.1.1",
                _ => "5.0",
            });
    }

    /// <summary>The answer, as JSON.</summary>
    /// <param name="Node">Name of the node that holds the session.</param>
    /// <param name="Address">The device's own address and port; null while it is not connected.</param>
    /// <param name="Listener">The listener it came by.</param>
    /// <param name="Token">The claim in the directory.</param>
    /// <param name="Session">The session itself.</param>
    private sealed record SessionView(string Node, string? Address, string? Listener, string? Token, SessionDescription Session);
}
