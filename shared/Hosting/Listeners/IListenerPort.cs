namespace Trunkline.Hosting;

/// <summary>A listening socket that accepts: by epoll, or by .NET's sockets.</summary>
internal interface IListenerPort
{
    /// <summary>Begins to accept.</summary>
    Task StartAsync();

    /// <summary>Accepts what the kernel holds already, then closes the socket. Connections live on.</summary>
    Task StopAsync();
}
