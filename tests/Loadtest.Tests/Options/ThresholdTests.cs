using Trunkline.Loadtest.Tests.Support;

namespace Trunkline.Loadtest.Tests.Options;

public sealed class ThresholdTests
{
    [Theory]
    [InlineData("p99<5ms", "p99", "<", 5_000)]
    [InlineData("p99.99 <= 1.5s", "p99.99", "<=", 1_500_000)]
    [InlineData("max<800us", "max", "<", 800)]
    [InlineData("connect.p50<250000ns", "connect.p50", "<", 250)]
    [InlineData("rate>=10k/s", "rate", ">=", 10_000)]
    [InlineData("lost=0", "lost", "=", 0)]
    [InlineData("duplicates==0", "duplicates", "=", 0)]
    [InlineData("lost<0.1%", "lost", "<", 0.001)]
    [InlineData("cpu.nginx<20us", "cpu.nginx", "<", 20)]
    [InlineData("rss<100MiB", "rss", "<", 100 * 1024 * 1024)]
    [InlineData("rssperconn.proxy<=1500", "rssperconn.proxy", "<=", 1500)]
    [InlineData("back99<3s", "back99", "<", 3_000_000)]
    public void Rules_are_read(string text, string figure, string comparison, double value)
    {
        var rule = Threshold.Parse(text);
        Assert.Equal((figure, comparison), (rule.Figure, rule.Comparison));
        Assert.Equal(value, rule.Value, 1e-9);
    }

    [Theory]
    [InlineData("p99")]
    [InlineData("<5ms")]
    [InlineData("p98<5ms")]
    [InlineData("p99<5")]
    [InlineData("p99<5parsec")]
    [InlineData("lost<5ms")]
    [InlineData("rate>fast")]
    [InlineData("other.p99<5ms")]
    public void Nonsense_is_refused(string text) => Assert.Throws<OptionException>(() => Threshold.Parse(text));

    [Theory]
    [InlineData("p99<5ms", true)]
    [InlineData("p99<4ms", false)]
    [InlineData("p99<=4ms", true)]
    [InlineData("delivery.p50<2.1ms", true)]
    [InlineData("ack.p50<2ms", false)]
    [InlineData("rate>900", true)]
    [InlineData("rate>1000", false)]
    [InlineData("lost=0", false)]
    [InlineData("lost<1%", true)]
    [InlineData("lost<0.1%", false)]
    [InlineData("duplicates=0", true)]
    [InlineData("cpu<=25us", true)]
    [InlineData("cpu.proxy<10us", false)]
    [InlineData("cpu.loadtest<10us", true)]
    [InlineData("cpu.nobody<10us", false)]
    [InlineData("cpushare<50%", true)]
    [InlineData("rssperconn.proxy<1500", true)]
    [InlineData("back99<1s", false)]
    public void Rules_are_judged(string text, bool kept) => Assert.Equal(kept, Figures.Judge(SampleReports.Pair(), Threshold.Parse(text)).IsKept);
}
