using Trunkline.Clauses;

namespace Trunkline.Links.Tests;

/// <summary>Links are MQTT clients: what the specification asks of clients.</summary>
public sealed class ClientRulesTests
{
    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-20")]
    public void An_idle_link_sends_PINGREQ_within_its_keep_alive()
    {
        var peer = new ScriptedPeer();
        var tier = Redial(peer, new LinkOptions { Seed = 7, KeepAliveSeconds = 6 });
        tier.Advance(60_000);
        Assert.Equal(0, peer.Closed);
        AssertPinged(peer, links: 3, withinMs: 6_000, overMs: 60_000);
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-21", "MQTT-3.2.2-21")]
    public void The_keep_alive_of_CONNACK_takes_the_place_of_the_links_own()
    {
        var peer = new ScriptedPeer(serverKeepAlive: 2);
        var tier = Redial(peer, new LinkOptions { Seed = 7, KeepAliveSeconds = 60 });
        tier.Advance(20_000);
        Assert.Equal(60, peer.Connects[0].KeepAliveSeconds);
        AssertPinged(peer, links: 3, withinMs: 2_000, overMs: 20_000);
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-3.2.2-4")]
    public void Session_present_after_a_clean_start_closes_the_link()
    {
        var peer = new ScriptedPeer(sessionPresent: true);
        var tier = Redial(peer, new LinkOptions { Seed = 7 });
        tier.Advance(2_000);
        Assert.True(peer.Connects.Count > 3, "The links dial again after closing.");
        Assert.All(peer.Connects, connect => Assert.True(connect.CleanStart));
        Assert.Equal(peer.Connects.Count, peer.Closed);
        Assert.All(tier.Nodes[0].Links.Groups[0].Links, link => Assert.False(link.IsConnected));
    }

    /// <summary>A node with one group whose links all come to <paramref name="peer"/>: two publish links and a receive link.</summary>
    private static TestTier Redial(ScriptedPeer peer, LinkOptions options)
    {
        var tier = new TestTier(groups: 1, options: options);
        tier.Acceptors[0].Target = peer;
        tier.Nodes[0].Connectors[0].CutAll();
        tier.Advance(1_000);
        Assert.NotEmpty(peer.Connects);
        return tier;
    }

    private static void AssertPinged(ScriptedPeer peer, int links, int withinMs, int overMs)
    {
        Assert.True(peer.PingsMs.Count >= links * (overMs / withinMs), $"{peer.PingsMs.Count} pings came.");
        long last = peer.PingsMs[0];
        foreach (long ping in peer.PingsMs)
        {
            Assert.True(ping - last < withinMs, $"No ping for {ping - last} ms.");
            last = ping;
        }
    }
}
