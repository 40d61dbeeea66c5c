using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>Turns <see cref="DirectoryOptions"/> into the client library's own.</summary>
internal static class RedisConfiguration
{
    /// <summary>For the sentinels that <see cref="DirectoryOptions.Endpoints"/> names: another set of commands, no password.</summary>
    internal static ConfigurationOptions MakeSentinel(DirectoryOptions options, string clientName)
    {
        ConfigurationOptions configuration = Make(options, clientName);
        configuration.CommandMap = CommandMap.Sentinel;
        configuration.Password = "";
        configuration.DefaultDatabase = null;
        return configuration;
    }

    /// <summary>For the data nodes; <paramref name="endpoints"/> replaces the ones in the options.</summary>
    internal static ConfigurationOptions Make(DirectoryOptions options, string clientName, IReadOnlyList<string>? endpoints = null)
    {
        var configuration = new ConfigurationOptions
        {
            AbortOnConnectFail = false,
            // INFO and CONFIG GET count as administration; nothing is ever set.
            AllowAdmin = true,
            ConnectTimeout = options.ConnectDeadlineMs,
            SyncTimeout = options.OperationDeadlineMs,
            // The deadline of our own, which also breaks the connection, comes first.
            AsyncTimeout = options.OperationDeadlineMs * 2,
            // A call while nothing is connected ends at once: what to do meanwhile is decided above the library.
            BacklogPolicy = BacklogPolicy.FailFast,
            // Replies as scripts and streams were written for, and messages to nodes on a connection of their own.
            Protocol = RedisProtocol.Resp2,
            ConnectRetry = 1,
            KeepAlive = 10,
            // The default (60 s) found the death of a Cluster master only after 23 s, 5 s did after 8.
            ConfigCheckSeconds = 5,
            Password = options.Password ?? "",
            ClientName = clientName,
            DefaultDatabase = options.Database,
            Ssl = options.Tls,
            // No tie-breaker key and no reconfigure channel: nothing of the client library's own in the user's Redis.
            TieBreaker = "",
            ConfigurationChannel = "",
        };
        foreach (string endpoint in endpoints ?? options.Endpoints)
        {
            if (DirectoryOptionsCheck.TrySplit(endpoint, out string host, out int port))
            {
                configuration.EndPoints.Add(host, port);
            }
        }

        if (options.Tls)
        {
            configuration.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
            configuration.SslHost = options.TlsHost;
            if (options.TlsCaFile is { Length: > 0 } file)
            {
                X509Certificate2Collection authorities = [];
                authorities.ImportFromPemFile(file);
                configuration.CertificateValidation += (_, certificate, _, errors) => IsTrusted(certificate, errors, authorities);
            }
        }

        return configuration;
    }

    // The named authority replaces the system's; the name in the certificate must match as ever.
    private static bool IsTrusted(X509Certificate? certificate, SslPolicyErrors errors, X509Certificate2Collection authorities)
    {
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
        {
            return false;
        }

        using var leaf = new X509Certificate2(certificate);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(leaf);
    }
}
