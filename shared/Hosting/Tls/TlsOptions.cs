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

    /// <summary>Whether OpenSSL 3 is called directly where it is found; otherwise .NET's SslStream serves.</summary>
    public bool UseOpenSsl { get; init; } = true;

    /// <summary>
    /// Steps of handshakes that OpenSSL takes on one loop in one turn, 1 to 10,000 (a full handshake has two): the others wait
    /// for the next turn, in the order of their arrival, so that a storm of them leaves connected devices their share.
    /// </summary>
    public int HandshakeStepsPerTurn { get; init; } = 4;

    internal void Validate(string path, ICollection<string> errors)
    {
        int before = errors.Count;
        File(CertificatePath, "CertificatePath", required: true);
        File(KeyPath, "KeyPath", required: false);
        File(ClientCaPath, "ClientCaPath", required: false);
        if (errors.Count == before && TlsCredentials.Check(this) is { } problem)
        {
            errors.Add($"{path} {problem} Name PEM files that belong together.");
        }

        if (!ListenerOptions.IsDuration(HandshakeDeadline))
        {
            errors.Add($"{path}:HandshakeDeadlineMs is {HandshakeDeadline.TotalMilliseconds}; set it between 100 and 86400000.");
        }

        if (HandshakeStepsPerTurn is < 1 or > 10_000)
        {
            errors.Add($"{path}:HandshakeStepsPerTurn is {HandshakeStepsPerTurn}; set it between 1 and 10000.");
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
