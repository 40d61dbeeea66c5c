using Trunkline.BrokerProcess;
using Trunkline.Directory;
using Trunkline.Hosting.Configuration;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Links;
using Trunkline.Proxy;
using Trunkline.ProxyTests.Docs;

namespace Trunkline.ProxyTests.Options;

public sealed class ProxyOptionsReaderTests
{
    [Fact]
    public void Without_settings_everything_is_loopback_and_embedded()
    {
        (ProxyOptions options, string[] errors) = Read();

        Assert.Empty(errors);
        Assert.Equal(["mqtt 127.0.0.1:1883 Tcp", "ws 127.0.0.1:8083 Ws"], options.Listeners.Select(listener => $"{listener.Name} {listener.Address} {listener.Type}"));
        Assert.Equal("127.0.0.1:8080", options.Management.EndPoint!.ToString());
        Assert.Equal(["group-0", "group-1"], options.Groups.Select(group => group.Name));
        Assert.All(options.Groups, group => Assert.Equal(GroupKind.Embedded, group.Kind));
        Assert.Equal(int.Min(Environment.ProcessorCount, 2), options.Loops);
        Assert.EndsWith($"-{Environment.ProcessId}", options.Node.Name, StringComparison.Ordinal);
    }

    [Fact]
    public void One_data_folder_keeps_logs_and_sessions_and_the_start_says_what_is_kept()
    {
        (ProxyOptions without, _) = Read();
        Assert.Equal("", without.Directory.DataDirectory);
        Assert.Equal(
            "The embedded groups are in memory: retained messages and messages not yet delivered are forgotten when this process ends. Sessions are in memory and forgotten when this process ends.",
            ProxyProcess.Keeps(without));
        (ProxyOptions with, string[] errors) = Read(("Broker:DataDirectory", "/d"));
        Assert.Empty(errors);
        Assert.Equal("/d/directory", with.Directory.DataDirectory);
        Assert.Equal("The embedded groups keep their logs and retained messages in /d. Sessions are kept in /d/directory.", ProxyProcess.Keeps(with));
        (ProxyOptions logsOnly, _) = Read(("Broker:DataDirectory", "/d"), ("Directory:Endpoints:0", "127.0.0.1:6379"));
        Assert.Equal("The embedded groups keep their logs and retained messages in /d.", ProxyProcess.Keeps(logsOnly));
        (ProxyOptions sessionsOnly, _) = Read(("Directory:DataDirectory", "/s"), ("Groups:0:Kind", "trunkline"), ("Groups:0:Address", "127.0.0.1:1884"));
        Assert.Equal("Sessions are kept in /s.", ProxyProcess.Keeps(sessionsOnly));
        (_, errors) = Read(("Broker:DataDirectory", "/d"), ("Groups:0:Name", "directory"), ("Directory:DataDirectory", "/s"), ("Directory:Endpoints:0", "127.0.0.1:6379"));
        Assert.Equal(
            [
                "Groups:0:Name: \"directory\" is the folder of the sessions. Give the group another name.",
                "Directory:DataDirectory: A folder and a Redis are both set. Remove it, or Directory:Endpoints: sessions are kept in one place.",
            ],
            errors);
    }

    [Fact]
    public void Sessions_in_a_folder_survive_what_the_logs_beside_them_do()
    {
        Assert.Null(Read(("Broker:DataDirectory", "/d")).Item1.Directory.Commit);
        Assert.Equal(DirectoryCommit.Always, Read(("Broker:DataDirectory", "/d"), ("Broker:Commit", "always")).Item1.Directory.Commit);
        Assert.Equal(DirectoryCommit.Os, Read(("Broker:DataDirectory", "/d"), ("Broker:Commit", "always"), ("Directory:Commit", "os")).Item1.Directory.Commit);
        Assert.Null(Read(("Broker:DataDirectory", "/d"), ("Broker:Commit", "always"), ("Directory:Endpoints:0", "127.0.0.1:6379")).Item1.Directory.Commit);
        Assert.Equal(
            ["Directory:Commit: 'always' is asked of a folder, but Directory:DataDirectory is empty. Name a folder in Directory:DataDirectory, or with a Redis use Directory:Durability aof-always."],
            Read(("Directory:Commit", "always")).Item2);
    }

    [Fact]
    public void The_defaults_follow_their_flags()
    {
        (ProxyOptions options, string[] errors) = Read(
            ("Default:Address", "::1"), ("Default:MqttPort", "2883"), ("Default:WebSocketPort", "0"), ("EmbeddedGroups", "3"), ("Management:Port", "9090"));

        Assert.Empty(errors);
        Assert.Equal(["[::1]:2883", "[::1]:0"], options.Listeners.Select(listener => listener.Address));
        Assert.Equal(3, options.Groups.Count);
        Assert.Equal(9090, options.Management.EndPoint!.Port);
    }

    [Theory]
    [InlineData("Loops", "65", "Loops: is 65.")]
    [InlineData("Loops", "-1", "Loops: is -1.")]
    [InlineData("CloseGraceMs", "60001", "CloseGraceMs: is 60001.")]
    [InlineData("CloseGraceMs", "-1", "CloseGraceMs: is -1.")]
    [InlineData("Drain:DevicesPerSecond", "-1", "Drain:DevicesPerSecond: is -1.")]
    [InlineData("Drain:DevicesPerSecond", "1000001", "Drain:DevicesPerSecond: is 1000001.")]
    [InlineData("Drain:MaximumMs", "-1", "Drain:MaximumMs: is -1.")]
    [InlineData("Drain:MaximumMs", "3600001", "Drain:MaximumMs: is 3600001.")]
    [InlineData("Drain:WillWaitSeconds", "-1", "Drain:WillWaitSeconds: is -1.")]
    [InlineData("Drain:WillWaitSeconds", "86401", "Drain:WillWaitSeconds: is 86401.")]
    [InlineData("Node:MaximumDueInMind", "0", "Node:MaximumDueInMind: is 0.")]
    [InlineData("Node:MaximumDueInMind", "10000001", "Node:MaximumDueInMind: is 10000001.")]
    [InlineData("Node:MaximumNewerWills", "0", "Node:MaximumNewerWills: is 0.")]
    [InlineData("Admission:MaximumClaimTries", "0", "Admission:MaximumClaimTries: is 0.")]
    [InlineData("Admission:MaximumClaimTries", "101", "Admission:MaximumClaimTries: is 101.")]
    [InlineData("EmbeddedGroups", "0", "EmbeddedGroups: is 0.")]
    [InlineData("EmbeddedGroups", "257", "EmbeddedGroups: is 257.")]
    [InlineData("Sharding:KeyLevels", "-1", "Sharding:KeyLevels: is -1.")]
    [InlineData("Sharding:KeyLevels", "129", "Sharding:KeyLevels: is 129.")]
    [InlineData("Default:MqttPort", "65536", "Default:MqttPort: is 65536.")]
    [InlineData("Default:WebSocketPort", "-1", "Default:WebSocketPort: is -1.")]
    [InlineData("Default:Address", "localhost", "Default:Address: \"localhost\" is no address.")]
    [InlineData("Default:MqttPort", "8083", "Listeners:1:Address: is 127.0.0.1:8083, as that of Listeners:0;")]
    [InlineData("Management:Address", "nonsense", "Management:Address: \"nonsense\" is no address.")]
    [InlineData("Management:Port", "65536", "Management:Port: is 65536.")]
    [InlineData("Directory:LeaseMs", "1", "Directory:LeaseMs:")]
    [InlineData("Listners:0:Address", "127.0.0.1:1", "Listners: is not a known key. Did you mean Listeners?")]
    public void A_value_beyond_its_edge_is_named(string key, string value, string error) =>
        Assert.StartsWith(error, Read((key, value)).Errors[0], StringComparison.Ordinal);

    [Theory]
    [InlineData("Loops", "64")]
    [InlineData("CloseGraceMs", "0")]
    [InlineData("CloseGraceMs", "60000")]
    [InlineData("Drain:DevicesPerSecond", "0")]
    [InlineData("Drain:DevicesPerSecond", "1000000")]
    [InlineData("Drain:MaximumMs", "0")]
    [InlineData("Drain:MaximumMs", "3600000")]
    [InlineData("Drain:WillWaitSeconds", "0")]
    [InlineData("Drain:WillWaitSeconds", "86400")]
    [InlineData("Node:MaximumNewerWills", "10000000")]
    [InlineData("Admission:MaximumClaimTries", "100")]
    [InlineData("EmbeddedGroups", "1")]
    [InlineData("EmbeddedGroups", "256")]
    [InlineData("Sharding:KeyLevels", "128")]
    [InlineData("Default:MqttPort", "65535")]
    public void A_value_at_its_edge_is_taken(string key, string value) => Assert.Empty(Read((key, value)).Errors);

    [Theory]
    [InlineData("Default:MqttPort", "1")]
    [InlineData("EmbeddedGroups", "1")]
    public void A_flag_that_the_named_lists_make_void_is_an_error(string key, string value)
    {
        (string, string?)[] lists = [("Listeners:0:Address", "127.0.0.1:1885"), ("Groups:0:Kind", "embedded")];
        Assert.Empty(Read(lists).Errors);
        Assert.StartsWith($"{key}: has no effect", Assert.Single(Read([.. lists, (key, value)]).Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Address=10.0.0.7:1883", "Groups:0:Address: is set although the group is embedded.")]
    [InlineData("Kind=trunkline", "Groups:0:Address: \"\" is no host and port.")]
    [InlineData("Kind=foreign Address=::1:1883", "Groups:0:Address: \"::1:1883\" is no host and port.")]
    [InlineData("Kind=foreign Address=host:0", "Groups:0:Address: \"host:0\" is no host and port.")]
    [InlineData("Kind=foreign Address=mqtt://host:1", "Groups:0:Address: \"mqtt://host:1\" is no host and port.")]
    [InlineData("Kind=foreign Address=host:1 CaFile=/none.pem Tls=true", "Groups:0:CaFile: names /none.pem, which does not exist.")]
    [InlineData("Kind=foreign Address=host:1 CaFile=/etc/hostname Tls=true", "Groups:0:CaFile: names /etc/hostname, which does not serve: it holds no certificate.")]
    [InlineData("Kind=foreign Address=host:1 CaFile=/etc/hostname", "Groups:0:Tls: is false, but CaFile is set.")]
    [InlineData("Kind=foreign Address=host:1 Log=redis", "Groups:0:Log: is redis, but no Redis is named.")]
    [InlineData("Kind=trunkline Address=host:1 Log=redis", "Groups:0:Log: is redis, but only foreign groups")]
    [InlineData("Kind=foreign Address=host:1 MaximumFiltersPerLink=99", "Groups:0:MaximumFiltersPerLink: is 99.")]
    [InlineData("Kind=brokr", "Groups:0:Kind: \"brokr\" does not fit. Give it one of Embedded, Trunkline, Foreign.")]
    public void A_group_that_cannot_be_is_named(string settings, string error) =>
        Assert.StartsWith(error, Assert.Single(Read(GroupSettings(settings)).Errors), StringComparison.Ordinal);

    [Theory]
    [InlineData("Kind=trunkline Address=broker-0:1884")]
    [InlineData("Kind=foreign Address=[::1]:1883 MaximumFiltersPerLink=100")]
    public void A_group_that_can_be_is_taken(string settings) => Assert.Empty(Read(GroupSettings(settings)).Errors);

    /// <summary>The defaults fit; one millisecond less does not, and without a Redis no generation is ever new.</summary>
    [Fact]
    public void A_claim_that_may_not_wait_for_the_whole_grace_is_named()
    {
        (string, string) redis = ("Directory:Endpoints:0", "127.0.0.1:6379");
        (string, string) grace = ("Directory:RecoveringGraceMs", "4000");
        Assert.Empty(Read(redis).Errors);
        Assert.Empty(Read(redis, grace, ("Mqtt:ClaimDeadlineMs", "6000")).Errors);
        Assert.Empty(Read(grace, ("Mqtt:ClaimDeadlineMs", "5999")).Errors);
        Assert.Equal(
            [
                "Mqtt:ClaimDeadlineMs: is 5999, less than Directory:RecoveringGraceMs and Directory:OperationDeadlineMs together (6000), so devices would be refused that only wait for the grace after a new generation. Set it to 6000 or more, or the grace lower.",
            ],
            Read(redis, grace, ("Mqtt:ClaimDeadlineMs", "5999")).Errors);
    }

    [Fact]
    public void Two_groups_or_listeners_cannot_be_told_apart_by_nothing()
    {
        string[] errors = Read(
            ("Groups:0:Name", "a"), ("Groups:0:Kind", "trunkline"), ("Groups:0:Address", "h:1"),
            ("Groups:1:Name", "a"), ("Groups:1:Kind", "trunkline"), ("Groups:1:Address", "h:1"),
            ("Listeners:0:Name", "x"), ("Listeners:0:Address", "127.0.0.1:1"),
            ("Listeners:1:Name", "x"), ("Listeners:1:Address", "127.0.0.1:1")).Errors;

        Assert.Equal(["Groups", "Groups", "Listeners:1:Name", "Listeners:1:Address"], errors.Select(error => error[..error.IndexOf(": ", StringComparison.Ordinal)]));
    }

    [Theory]
    [InlineData("SendTimeoutMs", "99", false)]
    [InlineData("SendTimeoutMs", "100", true)]
    [InlineData("SendTimeoutMs", "86400000", true)]
    [InlineData("SendTimeoutMs", "86400001", false)]
    [InlineData("ConnectDeadlineMs", "99", false)]
    [InlineData("Backlog", "0", false)]
    [InlineData("Backlog", "1", true)]
    [InlineData("MaximumConnections", "0", false)]
    [InlineData("MaximumConnections", "1", true)]
    [InlineData("DescriptorReserve", "-1", false)]
    [InlineData("DescriptorReserve", "0", true)]
    [InlineData("Address", "::1", false)]
    [InlineData("Address", "127.0.0.1", false)]
    [InlineData("Address", "[::1]:1883", true)]
    [InlineData("Allow:0", "10.0.0.0/33", false)]
    [InlineData("Deny:0", "fd00::/8", true)]
    [InlineData("ProxyProtocol:HeaderDeadlineMs", "99", false)]
    [InlineData("ProxyProtocol:TrustedAddresses:0", "nginx", false)]
    [InlineData("Type", "tls", false)]
    public void A_listeners_settings_have_edges(string key, string value, bool isGood)
    {
        string[] errors = Read(("Listeners:0:Name", "x"), ($"Listeners:0:{key}", value)).Errors;

        Assert.Equal(isGood, errors.Length == 0);
        Assert.All(errors, error => Assert.StartsWith($"Listeners:0:{(key == "Type" ? "Tls:CertificatePath" : key)}", error, StringComparison.Ordinal));
    }

    [Fact]
    public void Events_share_a_wake_up_unless_that_is_switched_off()
    {
        Assert.Equal(200, Read().Options.Coalescing.IntervalUs);
        Assert.Equal(200, Read(("Coalescing:EventsPerSecond", "5000")).Options.Coalescing.IntervalUs);
        Assert.Equal(0, Read(("Coalescing:IntervalUs", "0")).Options.Coalescing.IntervalUs);
    }

    [Theory]
    [InlineData("IntervalUs", "-1", false)]
    [InlineData("IntervalUs", "0", true)]
    [InlineData("IntervalUs", "1000", true)]
    [InlineData("IntervalUs", "1001", false)]
    [InlineData("EventsPerSecond", "999", false)]
    [InlineData("EventsPerSecond", "1000", true)]
    [InlineData("EventsPerSecond", "1000000", true)]
    [InlineData("EventsPerSecond", "1000001", false)]
    public void Coalescing_has_edges(string key, string value, bool isGood)
    {
        string[] errors = Read(($"Coalescing:{key}", value)).Errors;

        Assert.Equal(isGood, errors.Length == 0);
        Assert.All(errors, error => Assert.StartsWith($"Coalescing:{key}", error, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("-1", false)]
    [InlineData("0", true)]
    [InlineData("90", true)]
    [InlineData("91", false)]
    public void Sharing_of_loops_has_edges(string value, bool isGood)
    {
        string[] errors = Read(("LoopSharing:BelowPercent", value)).Errors;

        Assert.Equal(isGood, errors.Length == 0);
        Assert.All(errors, error => Assert.StartsWith("LoopSharing:BelowPercent", error, StringComparison.Ordinal));
    }

    /// <summary>Every whole number of the three option records that say their own ranges.</summary>
    [Theory]
    [InlineData("Mqtt")]
    [InlineData("Links")]
    [InlineData("Broker")]
    public void A_number_far_beyond_every_range_is_named_by_its_path(string section)
    {
        foreach (string key in OptionKeys.Of(new ProxyOptions()).Where(key => key.Key.StartsWith(section + ":", StringComparison.Ordinal)
            && long.TryParse(key.Value, out _)).Select(key => key.Key))
        {
            // What has no limit, says so: no expiry, a seed.
            if (key is "Mqtt:SessionExpiryCapSeconds" or "Links:Seed")
            {
                continue;
            }

            Assert.Contains(Read((key, "-2147483648")).Errors, error => error.StartsWith(key + ": ", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void All_errors_come_at_once()
    {
        string[] errors = Read(("Loops", "99"), ("Mqtt:ReceiveMaximum", "0"), ("Nonsense", "1"), ("Directory:Prefix", "A B"), ("Links:LingerMs", "x")).Errors;

        Assert.Equal(5, errors.Length);
    }

    [Fact]
    public void The_brokers_settings_are_checked_the_same_way()
    {
        var errors = new List<ConfigurationError>();
        BrokerProcessOptions options = BrokerOptionsReader.Read(SettingsOf.Pairs(), errors);
        Assert.Empty(errors);
        Assert.Equal(("mqtt", "127.0.0.1:1884", "127.0.0.1:8081", "group-0"), (options.Listeners[0].Name, options.Listeners[0].Address, options.Management.EndPoint!.ToString(), options.Group));

        BrokerOptionsReader.Read(
            SettingsOf.Pairs(("Group", ""), ("Broker:PageBytes", "1"), ("Node:Name", "x"), ("Listeners:0:Backlog", "0"), ("CloseGraceMs", "-1"), ("Management:Address", "x")), errors);
        Assert.Equal(
            ["Broker:PageBytes", "CloseGraceMs", "Group", "Listeners:0:Backlog", "Management:Address", "Node"],
            errors.Select(error => error.Path).Order(StringComparer.Ordinal));
    }

    private static (string, string?)[] GroupSettings(string settings) =>
    [
        .. settings.Split(' ').Select(setting => setting.Split('=', 2)).Select(pair => ($"Groups:0:{pair[0]}", (string?)pair[1])),
    ];

    private static (ProxyOptions Options, string[] Errors) Read(params (string Key, string? Value)[] settings)
    {
        var errors = new List<ConfigurationError>();
        ProxyOptions options = ProxyOptionsReader.Read(SettingsOf.Pairs(settings), errors);
        return (options, [.. errors.Select(error => error.ToString())]);
    }
}
