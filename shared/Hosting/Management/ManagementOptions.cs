using System.Net;
using Trunkline.Hosting.Configuration;

namespace Trunkline.Hosting.Management;

/// <summary>The management port; nobody is asked for a password there, so it belongs on loopback or a network of its own.</summary>
public sealed record ManagementOptions
{
    /// <summary>Address and port.</summary>
    public string Address { get; init; } = "127.0.0.1:8080";

    /// <summary>Port that takes the place of the one in <see cref="Address"/>; 0 leaves it.</summary>
    public int Port { get; init; }

    /// <summary>The endpoint both make; null when they make none.</summary>
    public IPEndPoint? EndPoint =>
        IPEndPoint.TryParse(Address, out IPEndPoint? endPoint)
            ? new IPEndPoint(endPoint.Address, Port == 0 ? endPoint.Port : Port)
            : null;

    /// <summary>Every error: path, problem, fix.</summary>
    public IEnumerable<ConfigurationError> Validate(string path)
    {
        if (EndPoint is null)
        {
            yield return new ConfigurationError(path + ":Address", $"\"{Address}\" is no address.", "Write an IP address and a port, for example 127.0.0.1:8080.");
        }
    }
}
