using System.Text;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Broker.Tests.Links;

public sealed class LinkTextTests
{
    [Fact]
    public void A_hello_is_read()
    {
        LinkHello? hello = LinkHello.TryParse("v1;kr;dnode-1;l3;h77", out _);
        Assert.Equal(new LinkHello(false, "node-1", 3, 77), hello);
    }

    [Theory]
    [InlineData("v2;kp;dn;l0;h0", "version '2'")]
    [InlineData("v1;kx;dn;l0;h0", "publishes or receives")]
    [InlineData("v1;kp;l0;h0", "names no node")]
    [InlineData("v1;kp;da_b;l0;h0", "names no node")]
    [InlineData("v1;kp;dn;h0", "no number")]
    [InlineData("v1;kp;dn;lx", "Field 'lx'")]
    [InlineData("", "Field ''")]
    public void A_bad_hello_is_refused_with_a_sentence(string text, string expected)
    {
        Assert.Null(LinkHello.TryParse(text, out string error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("n12", 12, null, 0)]
    [InlineData("n18446744073709551615;q2", ulong.MaxValue, QoS.ExactlyOnce, 0)]
    [InlineData("r;o00000000000000ff;q1", 0, QoS.AtLeastOnce, 255)]
    [InlineData(";;n;x9;nZ", 0, null, 0)]
    public void Fields_of_a_message_are_read(string text, ulong number, QoS? qos, ulong origin) =>
        Assert.Equal(new LinkFields(number, qos, origin, null), LinkFields.Parse(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("mnode-1/2/3", "node-1", 2, 3)]
    [InlineData("n5;mw/0/18446744073709551615;q2", "w", 0, ulong.MaxValue)]
    [InlineData("mnode-1/2", null, 0, 0)]
    [InlineData("mnode-1/2/0", null, 0, 0)]
    [InlineData("mnode-1/2/3x", null, 0, 0)]
    [InlineData("mno_de/2/3", null, 0, 0)]
    [InlineData("m/2/3", null, 0, 0)]
    [InlineData("m123456789-123456789-123456789-123456789-123456789-123456789-12345/2/3", null, 0, 0)]
    public void An_id_of_a_message_is_read(string text, string? node, ulong link, ulong number) =>
        Assert.Equal(
            node is null ? null : new MessageId(node, link, number), LinkFields.Parse(Encoding.UTF8.GetBytes(text)).Id);

    [Theory]
    [InlineData("p1:2", true)]
    [InlineData("p0:0", true)]
    [InlineData("p1:", false)]
    [InlineData("p1:2x", false)]
    [InlineData("1:2", false)]
    [InlineData("p:2", false)]
    public void Positions_are_read_strictly(string text, bool good) =>
        Assert.Equal(good, LinkText.TryParsePosition(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void The_longest_value_fits()
    {
        var text = new LinkText(stackalloc byte[LinkText.MaximumBytes]);
        text.Position(new LogPosition(ulong.MaxValue, ulong.MaxValue));
        text.Number('q', 2);
        text.Flag('r');
        text.Origin(ulong.MaxValue);
        text.Number('s', ulong.MaxValue);
        Assert.Equal(
            "p18446744073709551615:18446744073709551615;q2;r;offffffffffffffff;s18446744073709551615",
            Encoding.UTF8.GetString(text.Value));
    }
}
