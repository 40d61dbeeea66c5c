using System.Runtime.InteropServices;

namespace Trunkline.Tool.Bench.Floor;

/// <summary>The few calls of OpenSSL 3 that a server on blocking descriptors needs.</summary>
internal static partial class OpenSsl
{
    private const string Library = "libssl.so.3";
    private const int PemFile = 1;
    private const int SetMode = 33;
    private const int SetSessionCacheMode = 44;
    private const int ReleaseBuffers = 0x10;
    private const int CloseOnExec = 0x80000;

    /// <summary>A context as lean as it can be; throws when certificate or key do not do.</summary>
    public static nint CreateContext(string certificate, string key)
    {
        nint context = NewContext(ServerMethod());
        if (context == 0 || UseCertificate(context, certificate) != 1 || UseKey(context, key, PemFile) != 1)
        {
            throw new ToolException($"OpenSSL does not take {certificate} and {key}.");
        }

        _ = Control(context, SetMode, ReleaseBuffers, 0);
        _ = Control(context, SetSessionCacheMode, 0, 0);
        _ = SetTickets(context, 0);
        return context;
    }

    /// <summary>Takes the next connection; negative when there is none any more.</summary>
    public static int Accept(int listener) => AcceptFrom(listener, 0, 0, CloseOnExec);

    /// <summary>Ends a waiting <see cref="Accept"/>; closing the descriptor would not.</summary>
    public static void StopAccepting(int listener) => _ = Shutdown(listener, 2);

    /// <summary>A server's side of a connection.</summary>
    public static nint New(nint context, int descriptor)
    {
        nint ssl = NewSsl(context);
        _ = SetDescriptor(ssl, descriptor);
        return ssl;
    }

    /// <summary>True when the handshake is done.</summary>
    public static bool Handshake(nint ssl) => AcceptSsl(ssl) == 1;

    /// <summary>Bytes read; zero or less at the end.</summary>
    public static int Read(nint ssl, byte[] buffer) => ReadSsl(ssl, buffer, buffer.Length);

    /// <summary>True when all was written.</summary>
    public static bool Write(nint ssl, byte[] bytes) => WriteSsl(ssl, bytes, bytes.Length) == bytes.Length;

    /// <summary>Lets a connection go.</summary>
    public static void Free(nint ssl, int descriptor)
    {
        FreeSsl(ssl);
        _ = Close(descriptor);
    }

    [LibraryImport(Library, EntryPoint = "TLS_server_method")]
    private static partial nint ServerMethod();

    [LibraryImport(Library, EntryPoint = "SSL_CTX_new")]
    private static partial nint NewContext(nint method);

    [LibraryImport(Library, EntryPoint = "SSL_CTX_use_certificate_chain_file", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UseCertificate(nint context, string file);

    [LibraryImport(Library, EntryPoint = "SSL_CTX_use_PrivateKey_file", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UseKey(nint context, string file, int type);

    [LibraryImport(Library, EntryPoint = "SSL_CTX_ctrl")]
    private static partial nint Control(nint context, int command, nint value, nint argument);

    [LibraryImport(Library, EntryPoint = "SSL_CTX_set_num_tickets")]
    private static partial int SetTickets(nint context, nint count);

    [LibraryImport(Library, EntryPoint = "SSL_new")]
    private static partial nint NewSsl(nint context);

    [LibraryImport(Library, EntryPoint = "SSL_set_fd")]
    private static partial int SetDescriptor(nint ssl, int descriptor);

    [LibraryImport(Library, EntryPoint = "SSL_accept")]
    private static partial int AcceptSsl(nint ssl);

    [LibraryImport(Library, EntryPoint = "SSL_read")]
    private static partial int ReadSsl(nint ssl, [Out] byte[] buffer, int length);

    [LibraryImport(Library, EntryPoint = "SSL_write")]
    private static partial int WriteSsl(nint ssl, byte[] buffer, int length);

    [LibraryImport(Library, EntryPoint = "SSL_free")]
    private static partial void FreeSsl(nint ssl);

    [LibraryImport("libc", EntryPoint = "accept4")]
    private static partial int AcceptFrom(int listener, nint address, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "shutdown")]
    private static partial int Shutdown(int descriptor, int how);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
