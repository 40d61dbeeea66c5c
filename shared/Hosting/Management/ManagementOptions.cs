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

    /// <summary>
    /// Where other nodes reach this port, as host:port; empty takes <see cref="Address"/>, or this machine's name where
    /// that is a wildcard.
    /// </summary>
    public string AdvertisedAddress { get; init; } = "";

    /// <summary>Connections to this port at a time; a further one is closed and counted.</summary>
    public int MaximumConnections { get; init; } = 256;

    /// <summary>What other nodes are told.</summary>
    public string Advertised =>
        AdvertisedAddress.Length > 0 ? AdvertisedAddress
        : EndPoint is not { } endPoint ? ""
        : endPoint.Address.Equals(IPAddress.Any) || endPoint.Address.Equals(IPAddress.IPv6Any) ? $"{Dns.GetHostName()}:{endPoint.Port}"
        : endPoint.ToString();

    /// <summary>The endpoint both make; null when they make none.</summary>
    public IPEndPoint? EndPoint =>
        ListenerOptions.TryParseEndPoint(Address, out IPEndPoint? endPoint) && Port is >= 0 and <= 65_535
            ? new IPEndPoint(endPoint!.Address, Port == 0 ? endPoint.Port : Port)
            : null;

    /// <summary>Every error: path, problem, fix.</summary>
    public IEnumerable<ConfigurationError> Validate(string path)
    {
        if (Port is < 0 or > 65_535)
        {
            yield return new ConfigurationError(path + ":Port", $"is {Port}.", "Set it between 1 and 65535, or 0 to take the port of the address.");
        }

        if (MaximumConnections is < 1 or > 100_000)
        {
            yield return new ConfigurationError(path + ":MaximumConnections", $"is {MaximumConnections}.", "Set it between 1 and 100000.");
        }

        if (!ListenerOptions.TryParseEndPoint(Address, out _))
        {
            yield return new ConfigurationError(path + ":Address", $"\"{Address}\" is no address.", "Write an IP address and a port, for example 127.0.0.1:8080 or [::1]:8080.");
        }
    }
}
