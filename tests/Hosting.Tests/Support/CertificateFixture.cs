namespace Trunkline.Hosting.Tests.Support;

/// <summary>Certificates for the tests of a class.</summary>
public sealed class CertificateFixture : IDisposable
{
    internal TestCertificates Certificates { get; } = new();

    public void Dispose() => Certificates.Dispose();
}
