using Trunkline.Hosting.Metrics;
using Trunkline.Sessions;

namespace Trunkline.Hosting.Tests.Metrics;

public sealed class LabelValueTests
{
    private enum Sample
    {
        PublishedQoS0,
        QoS,
        TLSFailed,
    }

    [Fact]
    public void Words_are_joined_by_underscores()
    {
        Assert.Equal("keep_alive_timeout", LabelValue.Of(CloseCause.KeepAliveTimeout));
        Assert.Equal(["published_qos0", "qos", "tlsfailed"], Enum.GetValues<Sample>().Select(LabelValue.Of));
    }
}
