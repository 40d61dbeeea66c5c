using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Trunkline.Hosting;

/// <summary>A listener's certificate and authorities, read from their files once and shared by its connections.</summary>
internal static class TlsCredentials
{
    /// <summary>Reads the files; throws with a sentence that names the file when one does not serve.</summary>
    public static SslServerAuthenticationOptions Load(TlsOptions options)
    {
        X509Certificate2 certificate = Read(options.CertificatePath!, () => X509Certificate2.CreateFromPemFile(
            options.CertificatePath!, string.IsNullOrEmpty(options.KeyPath) ? null : options.KeyPath));
        var chain = Read(options.CertificatePath!, () => ReadAll(options.CertificatePath!));
        chain.RemoveAt(0);
        var server = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, chain, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowRenegotiation = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (string.IsNullOrEmpty(options.ClientCaPath))
        {
            return server;
        }

        X509Certificate2Collection authorities = Read(options.ClientCaPath, () => ReadAll(options.ClientCaPath));
        bool required = options.RequireClientCertificate;
        server.ClientCertificateRequired = true;
        server.CertificateChainPolicy = PolicyFor(authorities);
        server.RemoteCertificateValidationCallback = (_, _, _, errors) =>
            errors == SslPolicyErrors.None || (!required && errors == SslPolicyErrors.RemoteCertificateNotAvailable);
        return server;
    }

    /// <summary>What is wrong with the files, as a sentence; null when they serve.</summary>
    public static string? Check(TlsOptions options)
    {
        try
        {
            Load(options);
            return null;
        }
        catch (InvalidDataException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>Trusts these authorities and no other.</summary>
    public static X509ChainPolicy PolicyFor(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    /// <summary>All certificates of a PEM file.</summary>
    public static X509Certificate2Collection ReadAll(string path)
    {
        var collection = new X509Certificate2Collection();
        collection.ImportFromPemFile(path);
        return collection.Count > 0 ? collection : throw new InvalidDataException("it holds no certificate");
    }

    private static T Read<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception)
        {
            throw new InvalidDataException($"The certificate file \"{path}\" (or its key) does not serve: {exception.Message}", exception);
        }
    }
}
