using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool.Authority;

namespace Trunkline.SystemTests.Operations;

/// <summary>The tier's certificates are ones that others' TLS accepts.</summary>
public sealed class TestAuthorityTests
{
    [ProgramsFact("openssl")]
    public async Task Openssl_verifies_the_server_certificate_for_its_names()
    {
        string folder = Tier.NewFolder();
        TestAuthorityFiles files = TestAuthority.Create(folder, TimeProvider.System);
        foreach (string[] name in new string[][] { ["-verify_hostname", "localhost"], ["-verify_ip", "127.0.0.1"], ["-verify_ip", "::1"] })
        {
            CommandResult result = await CommandRunner.RunAsync(
                "openssl", ["verify", "-x509_strict", "-purpose", "sslserver", .. name, "-CAfile", files.CaFile, files.CertificateFile]);
            result.EnsureSuccess();
        }

        CommandResult wrong = await CommandRunner.RunAsync("openssl", "verify", "-verify_hostname", "example.org", "-CAfile", files.CaFile, files.CertificateFile);
        Assert.NotEqual(0, wrong.ExitCode);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(files.KeyFile));
        Directory.Delete(folder, recursive: true);
    }
}
