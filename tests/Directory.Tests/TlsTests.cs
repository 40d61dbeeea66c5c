using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Trunkline.Directory.Tests;

public sealed class TlsTests
{
    [Fact]
    public async Task Tls_with_an_authority_of_our_own_and_never_without_it()
    {
        string folder = System.IO.Directory.CreateTempSubdirectory("trunkline-tls-").FullName;
        (string ca, string certificate, string key) = Make(folder, "ca");
        (string otherCa, _, _) = Make(folder, "other");
        await using RedisServer server = await RedisServer.StartAsync();
        await using var tier = new TestTier(server, "t");
        int port = FreePorts.Take();
        await server.CommandAsync($"CONFIG SET tls-cert-file {certificate} tls-key-file {key} tls-ca-cert-file {ca} tls-auth-clients no tls-port {port}");
        DirectoryOptions options = tier.Options with { Endpoints = ["127.0.0.1:" + port], Tls = true, TlsHost = "redis.test", TlsCaFile = ca };
        Assert.Empty(options.Validate());
        var (one, _) = await tier.JoinAsync("one", options);
        Assert.True((await one.ClaimAsync(new("id", 1))).IsOk);

        foreach (DirectoryOptions wrong in new[] { options with { TlsCaFile = otherCa }, options with { TlsCaFile = null }, options with { TlsHost = "another.test" } })
        {
            Assert.Equal(DirectoryStatus.Unavailable, (await tier.Make("wrong", wrong).JoinAsync(TestTier.Shape, new RecordingEvents())).Status);
        }

        System.IO.Directory.Delete(folder, recursive: true);
    }

    private static (string Ca, string Certificate, string Key) Make(string folder, string name)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using var caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var caRequest = new CertificateRequest("CN=" + name, caKey, HashAlgorithmName.SHA256);
        caRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 ca = caRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=redis.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("redis.test");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(ca, now.AddDays(-1), now.AddDays(1), [1, 2, 3, 4]);
        string Write(string file, string text)
        {
            string path = Path.Combine(folder, name + file);
            File.WriteAllText(path, text);
            return path;
        }

        return (Write(".ca", ca.ExportCertificatePem()), Write(".crt", certificate.ExportCertificatePem()), Write(".key", key.ExportPkcs8PrivateKeyPem()));
    }
}
