namespace Trunkline.Hosting;

/// <summary>Hears how a TLS handshake ended; on the loop.</summary>
internal interface ITlsHandshake
{
    /// <summary>It is done; sets the handler of <paramref name="transport"/>.</summary>
    void OnTlsReady(TlsLayer transport);

    /// <summary>It failed; closes what lies below.</summary>
    void OnTlsFailed(TlsLayer transport, Exception exception);
}
