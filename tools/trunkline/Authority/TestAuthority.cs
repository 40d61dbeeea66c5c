using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Trunkline.Tool.Authority;

/// <summary>The PEM files of a tier's own certificate authority and of the one server certificate it issued.</summary>
internal sealed record TestAuthorityFiles(string CaFile, string CertificateFile, string KeyFile);

/// <summary>Makes an authority and a certificate for localhost and 127.0.0.1. For tests only: the authority's key is not kept.</summary>
internal static class TestAuthority
{
    private static readonly TimeSpan Validity = TimeSpan.FromDays(30);

    /// <summary>Writes ca.pem, server.pem and server.key into a folder.</summary>
    public static TestAuthorityFiles Create(string folder, TimeProvider time)
    {
        Directory.CreateDirectory(folder);
        TestAuthorityFiles files = new(
            Path.Combine(folder, "ca.pem"),
            Path.Combine(folder, "server.pem"),
            Path.Combine(folder, "server.key"));

        DateTimeOffset from = time.GetUtcNow().AddDays(-1);
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 authority = CreateAuthority(authorityKey, from);
        using ECDsa serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 server = Issue(authority, serverKey, from);

        File.WriteAllText(files.CaFile, authority.ExportCertificatePem() + "\n");
        File.WriteAllText(files.CertificateFile, server.ExportCertificatePem() + "\n");
        using FileStream key = new(files.KeyFile, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        using StreamWriter writer = new(key);
        writer.WriteLine(serverKey.ExportPkcs8PrivateKeyPem());
        return files;
    }

    private static X509Certificate2 CreateAuthority(ECDsa key, DateTimeOffset from)
    {
        CertificateRequest request = new("CN=Trunkline test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(from, from + Validity);
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, ECDsa key, DateTimeOffset from)
    {
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "TLS server")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        return request.Create(authority, from, from + Validity - TimeSpan.FromDays(1), RandomNumberGenerator.GetBytes(16));
    }
}
