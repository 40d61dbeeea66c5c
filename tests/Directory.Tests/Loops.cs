using Trunkline.Hosting;
using Trunkline.Transports;

namespace Trunkline.Directory.Tests;

/// <summary>Connections to Redis on a loop, as a proxy has them.</summary>
internal static class Loops
{
    public static Loop Start()
    {
        var options = new LoopOptions { Name = "directory" };
        Loop loop = OperatingSystem.IsLinux() ? new EpollLoop(options) : new ThreadLoop(options);
        loop.Start();
        return loop;
    }

    public static DirectoryEnvironment Environment(DirectoryEnvironment environment, Loop? loop) => loop is null ? environment : environment with
    {
        Loops = [loop],
        Dial = static (host, port) => new TcpConnector(new TcpConnectorOptions { Host = host, Port = port, ConnectTimeout = TimeSpan.FromSeconds(1) }),
    };
}
