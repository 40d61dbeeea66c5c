using Trunkline.Hosting.Management;

namespace Trunkline.Hosting.Tests.Management;

public sealed class ManagementOptionsTests
{
    [Theory]
    [InlineData("127.0.0.1:8080", 0, "127.0.0.1:8080")]
    [InlineData("127.0.0.1:8080", 9090, "127.0.0.1:9090")]
    [InlineData("[::1]:8080", 65535, "[::1]:65535")]
    [InlineData("127.0.0.1", 0, null)]
    [InlineData("::1", 0, null)]
    [InlineData("localhost:8080", 0, null)]
    [InlineData("127.0.0.1:8080", 65536, null)]
    [InlineData("127.0.0.1:8080", -1, null)]
    public void Address_and_port_make_an_endpoint_or_an_error(string address, int port, string? endPoint)
    {
        var options = new ManagementOptions { Address = address, Port = port };

        Assert.Equal(endPoint, options.EndPoint?.ToString());
        Assert.Equal(endPoint is null, options.Validate("Management").Any());
    }

    [Theory]
    [InlineData("10.0.0.7:8080", "", "10.0.0.7:8080")]
    [InlineData("0.0.0.0:8080", "edge-7:8080", "edge-7:8080")]
    public void Other_nodes_are_told_an_address_they_can_reach(string address, string advertised, string told) =>
        Assert.Equal(told, new ManagementOptions { Address = address, AdvertisedAddress = advertised }.Advertised);

    [Theory]
    [InlineData("0.0.0.0:8080")]
    [InlineData("[::]:8080")]
    public void A_wildcard_is_told_as_the_machines_name(string address) =>
        Assert.Equal($"{System.Net.Dns.GetHostName()}:8080", new ManagementOptions { Address = address }.Advertised);
}
