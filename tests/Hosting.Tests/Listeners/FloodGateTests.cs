using System.Net;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.Listeners;

public sealed class FloodGateTests : IDisposable
{
    private readonly LogList _log = new();
    private readonly ManualLoop _loop = new();
    private readonly FloodGate _gate;

    public FloodGateTests() => _gate = new FloodGate(_loop, _log);

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void One_line_of_an_address_in_ten_seconds_and_the_rest_is_told_without_a_further_one()
    {
        Assert.Equal([true, false, false], Enumerable.Range(1, 3).Select(port => _gate.MayLog(Address("10.1.2.3", port))));
        Assert.True(_gate.MayLog(Address("10.1.2.4", 1)));
        Assert.Empty(_log.Lines);

        _loop.RunUntilIdle();
        _loop.Advance(TimeSpan.FromSeconds(12));
        Assert.StartsWith("2060 2 more lines of listeners about 10.1.2.3 ", Assert.Single(_log.Lines), StringComparison.Ordinal);

        Assert.True(_gate.MayLog(Address("10.1.2.3", 4)));
        Assert.False(_gate.MayLog(Address("10.1.2.3", 5)));
        _loop.RunUntilIdle();
        _loop.Advance(TimeSpan.FromSeconds(12));
        Assert.Equal(2, _log.Lines.Count);
    }

    [Fact]
    public void A_flood_from_everywhere_is_told_as_one()
    {
        int written = 0;
        for (int n = 0; n < 10_010; n++)
        {
            for (int twice = 0; twice < 2; twice++)
            {
                written += _gate.MayLog(Address($"10.{n >> 16}.{(n >> 8) & 255}.{n & 255}", 1)) ? 1 : 0;
            }
        }

        _loop.RunUntilIdle();
        _loop.Advance(TimeSpan.FromSeconds(12));
        long told = _log.Lines.Sum(line => long.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(20_020, written + told);
        Assert.Single(_log.Lines, line => line.StartsWith("2061", StringComparison.Ordinal));
    }

    private static NetworkAddress Address(string address, int port) => NetworkAddress.From(new IPEndPoint(IPAddress.Parse(address), port));
}
