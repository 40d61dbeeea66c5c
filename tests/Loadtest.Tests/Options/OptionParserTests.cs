using Trunkline.Protocol;

namespace Trunkline.Loadtest.Tests.Options;

public sealed class OptionParserTests
{
    [Fact]
    public void Letters_mean_what_they_mean_to_emqtt_bench()
    {
        LoadOptions options = Parse("pub -h a,b:1884 -p 1999 -V 4 -c 10 -n 5 -R 50 -I 20 -t x/%i -s 64 -q 1 -r true -k 60 -C false -x 30 -F 7 -L 9 -u me -P word --prefix p --ifaddr 127.0.0.1-127.0.0.3");
        Assert.Equal([new Target("a", 1999), new Target("b", 1884)], options.Targets);
        Assert.Equal((LoadPattern.Pub, ProtocolVersion.Mqtt311, 10, 5), (options.Pattern, options.Version, options.Count, options.StartNumber));
        Assert.Equal((50.0, 20.0, "x/%i", 64, QoS.AtLeastOnce), (options.ConnectRate, options.MessageIntervalMs, options.Topic, options.PayloadBytes, options.QoS));
        Assert.Equal((true, (ushort)60, false, 30u, 7, 9L), (options.Retain, options.KeepAliveSeconds, options.CleanStart, options.SessionExpirySeconds, options.Window, options.Limit));
        Assert.Equal(("me", "word", "p"), (options.UserName, options.Password, options.Prefix));
        Assert.Equal(["127.0.0.1", "127.0.0.2", "127.0.0.3"], options.SourceAddresses);
    }

    [Theory]
    [InlineData("conn --interval 4", 250)]
    [InlineData("conn -i 0", 0)]
    [InlineData("conn --connrate=12.5", 12.5)]
    public void Connection_rates(string arguments, double rate) => Assert.Equal(rate, Parse(arguments).ConnectRate);

    [Fact]
    public void Switches_take_no_value_or_true_or_false()
    {
        LoadOptions options = Parse("pair --ws -S false -r --max -Q");
        Assert.Equal((true, false, true, true, true), (options.UseWebSocket, options.UseTls, options.Retain, options.IsMaximumRate, options.IsQuiet));
        Assert.True(Parse("pub -I 0").IsMaximumRate);
    }

    [Theory]
    [InlineData("conn", 1883)]
    [InlineData("conn -S", 8883)]
    [InlineData("conn --ws", 8083)]
    [InlineData("conn --ws -S", 8084)]
    [InlineData("conn --ws -S -p 9", 9)]
    public void The_port_is_the_usual_one_of_the_transport(string arguments, int port) => Assert.Equal(port, Parse(arguments).Targets[0].Port);

    [Theory]
    [InlineData("[::1]:77", "::1", 77)]
    [InlineData("::1", "::1", 1883)]
    [InlineData("host", "host", 1883)]
    public void Targets(string text, string host, int port) => Assert.Equal(new Target(host, port), Assert.Single(Target.ParseAll(text, 1883)));

    [Theory]
    [InlineData("10", 10)]
    [InlineData("500ms", 0.5)]
    [InlineData("2m", 120)]
    [InlineData("1.5s", 1.5)]
    public void Durations(string text, double seconds) => Assert.Equal(seconds, Parse($"conn -d {text}").Duration.TotalSeconds);

    [Theory]
    [InlineData("", "Nothing is not one of")]
    [InlineData("bench", "\"bench\" is not one of")]
    [InlineData("pub --sizze 1", "--sizze is no option")]
    [InlineData("pub -s", "-s needs a value")]
    [InlineData("pub -s 19", "from 20 to")]
    [InlineData("pub -q 3", "from 0 to 2")]
    [InlineData("pub -t a/#", "no wildcard")]
    [InlineData("pub -h a:0", "no port")]
    [InlineData("pair -c 1", "two clients")]
    [InlineData("conn --ifaddr 1.2.3.4-1.2.3.1", "upwards")]
    [InlineData("conn --pid 4194999", "no process")]
    [InlineData("conn --cacert /nowhere", "does not exist")]
    [InlineData("pub --outstanding 5", "does not see")]
    [InlineData("pubsub --publish-to a", "fanin, fanout and pair")]
    [InlineData("pair --publish-to a:0", "no port")]
    [InlineData("pair --failover", "only with --reconnect")]
    [InlineData("sub --filters 2 -t x/%i/%f", "only conn")]
    [InlineData("conn --filters 2 -t x/%i", "must hold %f")]
    public void What_is_wrong_is_said(string arguments, string part)
    {
        IReadOnlyList<string> errors = OptionParser.Parse(Split(arguments)).Errors;
        Assert.Contains(part, Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void All_errors_are_named_at_once() =>
        Assert.Equal(3, OptionParser.Parse(Split("pub -q 9 --nope -s 1")).Errors.Count);

    [Fact]
    public void No_two_options_share_a_name() =>
        Assert.All(OptionTable.All.SelectMany(option => option.Names).CountBy(name => name), name => Assert.Equal(1, name.Value));

    [Fact]
    public void The_help_names_every_option() =>
        Assert.All(OptionTable.All, option => Assert.Contains(option.Usage, Help.Text(), StringComparison.Ordinal));

    internal static string[] Split(string arguments) => arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static LoadOptions Parse(string arguments)
    {
        (LoadOptions options, IReadOnlyList<string> errors) = OptionParser.Parse(Split(arguments));
        Assert.Empty(errors);
        return options;
    }
}
