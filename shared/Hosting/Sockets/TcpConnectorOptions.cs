using System.Security.Cryptography;

namespace Trunkline.Hosting;

/// <summary>How to dial a broker.</summary>
public sealed record TcpConnectorOptions
{
    /// <summary>Host name or address.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Port.</summary>
    public int Port { get; init; } = 1883;

    /// <summary>Whether TLS is spoken.</summary>
    public bool UseTls { get; init; }

    /// <summary>Authorities that are trusted (PEM) instead of the system's.</summary>
    public string? CaPath { get; init; }

    /// <summary>Certificate to show (PEM), when the broker asks for one.</summary>
    public string? CertificatePath { get; init; }

    /// <summary>Its private key (PEM).</summary>
    public string? KeyPath { get; init; }

    /// <summary>Name that the broker's certificate must carry, when it is not <see cref="Host"/>.</summary>
    public string? TlsName { get; init; }

    /// <summary>What is wrong with a file of authorities, as a sentence; null when it serves.</summary>
    public static string? CheckAuthorities(string path)
    {
        if (!File.Exists(path))
        {
            return $"names {path}, which does not exist.";
        }

        try
        {
            TlsCredentials.ReadAll(path);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException or CryptographicException)
        {
            return $"names {path}, which does not serve: {exception.Message}.";
        }
    }

    /// <summary>Address of this machine to dial from; null leaves the choice to the system. The port is always the system's choice.</summary>
    public string? LocalAddress { get; init; }

    /// <summary>Time for name resolution, connecting and TLS together.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A broker that takes nothing for this long while bytes wait for it is dropped.</summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
