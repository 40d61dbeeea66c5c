using Trunkline.Protocol;
using Trunkline.Proxy;
using Trunkline.Transports;

namespace Trunkline.ProxyTests.Sessions;

/// <summary>A storm of CONNECTs is refused before anything is asked of the directory, and let in as time passes.</summary>
public sealed class ConnectAdmissionTests
{
    private readonly ManualLoop _loop = new();
    private readonly KeeperCounters _counters = new();

    [Fact]
    public void A_second_takes_its_number_and_the_rest_is_refused_with_0x9F()
    {
        var admission = new ConnectAdmission(_loop, new AdmissionOptions { ConnectsPerSecond = 20 }, 2);
        Assert.Equal(10, Enumerable.Range(0, 50).Count(_ => admission.Ask(0, _counters).Reason == ReasonCode.Success));
        Assert.Equal(ReasonCode.ConnectionRateExceeded, admission.Ask(0, _counters).Reason);
        Assert.Equal(41, _counters.Read(KeeperCounter.RefusedByRate));

        _loop.Advance(TimeSpan.FromMilliseconds(300));
        Assert.Equal(3, Enumerable.Range(0, 50).Count(_ => admission.Ask(0, _counters).Reason == ReasonCode.Success));

        // However long it was quiet, a burst is no larger than a second.
        _loop.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(10, Enumerable.Range(0, 50).Count(_ => admission.Ask(0, _counters).Reason == ReasonCode.Success));
    }

    [Fact]
    public void Without_a_rate_all_are_let_in() =>
        Assert.All(
            Enumerable.Range(0, 10_000),
            _ => Assert.Equal(ReasonCode.Success, new ConnectAdmission(_loop, new AdmissionOptions(), 2).Ask(0, _counters).Reason));

    [Fact]
    public void Claims_under_way_are_limited_with_0x97()
    {
        var admission = new ConnectAdmission(_loop, new AdmissionOptions { MaximumClaims = 5 }, 2);
        Assert.Equal(ReasonCode.Success, admission.Ask(2, _counters).Reason);
        Assert.Equal(ReasonCode.QuotaExceeded, admission.Ask(3, _counters).Reason);
        Assert.Equal(1, _counters.Read(KeeperCounter.RefusedByClaims));
    }

    [Theory]
    [InlineData(ReasonCode.ConnectionRateExceeded)]
    [InlineData(ReasonCode.QuotaExceeded)]
    public void Both_have_return_code_3_in_3_1_1(object reason)
    {
        Assert.True(ReasonCodes.TryToConnectReturnCode((ReasonCode)reason, out ConnectReturnCode code));
        Assert.Equal(ConnectReturnCode.ServerUnavailable, code);
    }
}
