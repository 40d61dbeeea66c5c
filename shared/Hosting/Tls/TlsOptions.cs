namespace Trunkline.Hosting;

/// <summary>TLS of a listener; <c>Listeners:n:Tls</c>. Files are PEM.</summary>
public sealed record TlsOptions
{
    /// <summary>The server's certificate, followed by its intermediates.</summary>
    public string? CertificatePath { get; init; }

    /// <summary>Its private key; empty when it stands in the certificate's file.</summary>
    public string? KeyPath { get; init; }

    /// <summary>Authorities whose client certificates are accepted; without it clients are not asked for one.</summary>
    public string? ClientCaPath { get; init; }

    /// <summary>Whether a client without a certificate is refused, when <see cref="ClientCaPath"/> is set.</summary>
    public bool RequireClientCertificate { get; init; } = true;

    /// <summary>Time from accept to the end of the handshake.</summary>
    public TimeSpan HandshakeDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether OpenSSL 3 is called directly where it is found, at half the memory; otherwise .NET's SslStream serves.</summary>
    public bool UseOpenSsl { get; init; } = true;

    internal void Validate(string path, ICollection<string> errors)
    {
        File(CertificatePath, "CertificatePath", required: true);
        File(KeyPath, "KeyPath", required: false);
        File(ClientCaPath, "ClientCaPath", required: false);
        if (!ListenerOptions.IsDuration(HandshakeDeadline))
        {
            errors.Add($"{path}:HandshakeDeadlineMs is {HandshakeDeadline.TotalMilliseconds}; set it between 100 and 86400000.");
        }

        void File(string? file, string name, bool required)
        {
            if (string.IsNullOrEmpty(file))
            {
                if (required)
                {
                    errors.Add($"{path}:{name} is not set; name the PEM file.");
                }
            }
            else if (!System.IO.File.Exists(file))
            {
                errors.Add($"{path}:{name} names \"{file}\", which does not exist or may not be read.");
            }
        }
    }
}
