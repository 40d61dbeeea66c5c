using System.Runtime.InteropServices;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// What all TLS connections of a listener share in OpenSSL: certificate, authorities, options. Any thread; the budget of
/// handshakes on its loop.
/// </summary>
internal sealed unsafe class OpenSslContext : SafeHandle
{
    // As many as the setting Loops allows.
    private const int MaximumLoops = 64;
    private const string Ciphers =
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:"
        + "ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256";

    private readonly Budget?[] _budgets = new Budget?[MaximumLoops];
    private readonly nint _method;
    private readonly int _stepsPerTurn;
    private readonly Action? _onPutOff;

    private OpenSslContext(nint context, int stepsPerTurn, Action? onPutOff)
        : base(0, ownsHandle: true)
    {
        SetHandle(context);
        _stepsPerTurn = stepsPerTurn;
        _onPutOff = onPutOff;
        _method = BioWindow.CreateMethod();
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>
    /// Makes a context of files that were checked before; null where the library is not there or cannot use them, and
    /// SslStream serves. <paramref name="onPutOff"/> is called, on a loop, when a step of a handshake waits for a later turn.
    /// </summary>
    public static OpenSslContext? TryCreate(TlsOptions options, out string error, Action? onPutOff = null)
    {
        if (!LibSsl.TryLoad())
        {
            error = "libssl.so.3 is not to be had";
            return null;
        }

        LibSsl.ErrorClear();
        var context = new OpenSslContext(LibSsl.ContextNew(LibSsl.ServerMethod()), options.HandshakeStepsPerTurn, onPutOff);
        if (!context.IsInvalid && context.Configure(options))
        {
            error = "";
            return context;
        }

        error = LibSsl.TakeError();
        context.Dispose();
        return null;
    }

    /// <summary>A server's end of one connection, with the BIO it reads and writes.</summary>
    public nint CreateConnection(out nint bio)
    {
        nint ssl = LibSsl.New(handle);
        bio = LibSsl.BioNew(_method);
        if (ssl == 0 || bio == 0)
        {
            throw new InvalidOperationException("OpenSSL could not make a connection: its memory is exhausted.");
        }

        LibSsl.BioSetInit(bio, 1);
        LibSsl.SetBio(ssl, bio, bio);
        LibSsl.SetAccept(ssl);
        return ssl;
    }

    /// <summary>Whether a handshake may go on in this turn of the loop; the loop's thread.</summary>
    public bool TakeHandshakeStep(Loop loop)
    {
        if (loop.Index >= MaximumLoops)
        {
            return true;
        }

        Budget budget = _budgets[loop.Index] ??= new Budget();
        if (budget.Used == 0)
        {
            loop.AtEndOfTurn(budget);
        }
        else if (budget.Used >= _stepsPerTurn)
        {
            _onPutOff?.Invoke();
            return false;
        }

        budget.Used++;
        return true;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        // Connections hold a count of the context of their own, but not of the method: it is small and stays, should some live.
        LibSsl.ContextFree(handle);
        return true;
    }

    private bool Configure(TlsOptions options)
    {
        _ = LibSsl.ContextControl(handle, LibSsl.ControlMinimumVersion, LibSsl.Tls12, 0);
        _ = LibSsl.ContextControl(handle, LibSsl.ControlMode, LibSsl.ModePartialWrite | LibSsl.ModeMovingBuffer | LibSsl.ModeReleaseBuffers, 0);
        _ = LibSsl.ContextControl(handle, LibSsl.ControlSessionCache, 0, 0);
        _ = LibSsl.ContextSetOptions(handle, LibSsl.OptionNoCompression | LibSsl.OptionNoRenegotiation | LibSsl.OptionServerPreference);
        LibSsl.ContextSetPassword(handle, &NoPassword);
        string key = string.IsNullOrEmpty(options.KeyPath) ? options.CertificatePath! : options.KeyPath;
        return LibSsl.ContextSetCiphers(handle, Ciphers) == 1
            && LibSsl.ContextUseChain(handle, options.CertificatePath!) == 1
            && LibSsl.ContextUseKey(handle, key, LibSsl.FileTypePem) == 1
            && ConfigureClients(options);
    }

    private bool ConfigureClients(TlsOptions options)
    {
        if (string.IsNullOrEmpty(options.ClientCaPath))
        {
            // One ticket lets a client come back without the costly part; the server keeps nothing for it.
            return LibSsl.ContextSetTickets(handle, 1) == 1;
        }

        // A certificate is looked at on every connection: nobody comes back on the strength of an earlier look.
        _ = LibSsl.ContextSetOptions(handle, LibSsl.OptionNoTicket);
        _ = LibSsl.ContextSetTickets(handle, 0);
        nint names = LibSsl.LoadNames(options.ClientCaPath);
        if (names == 0 || LibSsl.ContextTrust(handle, options.ClientCaPath) != 1)
        {
            return false;
        }

        LibSsl.ContextSetNames(handle, names);
        LibSsl.ContextSetVerify(handle, LibSsl.VerifyPeer | (options.RequireClientCertificate ? LibSsl.VerifyFailIfNone : 0), 0);
        return true;
    }

    /// <summary>A key behind a password is refused instead of asked for on the terminal.</summary>
    [UnmanagedCallersOnly]
    private static int NoPassword(byte* buffer, int size, int isWriting, nint data) => -1;

    private sealed class Budget : IEndOfTurn
    {
        public int Used { get; set; }

        public void OnEndOfTurn() => Used = 0;
    }
}
