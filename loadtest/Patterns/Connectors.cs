using Trunkline.Hosting;
using Trunkline.Transports;

namespace Trunkline.Loadtest;

/// <summary>A connector for each pair of target and source address. Any thread.</summary>
internal sealed class Connectors
{
    private readonly ITransportConnector[][] _byTarget;

    /// <summary>Makes them all; a certificate file that does not serve throws.</summary>
    public Connectors(LoadOptions options)
    {
        IReadOnlyList<string?> sources = options.SourceAddresses.Count == 0 ? [null] : [.. options.SourceAddresses];
        _byTarget = [.. options.AllTargets.Select(target => sources.Select(source => Make(options, target, source)).ToArray())];
    }

    /// <summary>The connector of a client: sources change slower than targets, so that all pairs are used.</summary>
    public ITransportConnector For(ClientSpec client)
    {
        ITransportConnector[] sources = _byTarget[client.Target];
        return sources[client.Index / _byTarget.Length % sources.Length];
    }

    private static ITransportConnector Make(LoadOptions options, Target target, string? source)
    {
        var tcp = new TcpConnector(new TcpConnectorOptions
        {
            Host = target.Host,
            Port = target.Port,
            UseTls = options.UseTls,
            CaPath = options.CaPath,
            CertificatePath = options.CertificatePath,
            KeyPath = options.KeyPath,
            TlsName = options.TlsName,
            LocalAddress = source,
            ConnectTimeout = options.ConnectTimeout,
        });
        return options.UseWebSocket
            ? new WebSocketConnector(tcp, target.ToString(), options.WebSocketPath, options.ConnectTimeout)
            : tcp;
    }
}
