namespace Trunkline.Sessions.Tests.Connecting;

/// <summary>Client identifiers: empty, long, and what they find.</summary>
public sealed class ClientIdTests
{
    [Theory, Each(ProtocolVersion.Mqtt50)]
    [Clause(Specification.Mqtt50, "MQTT-3.1.3-6", "MQTT-3.1.3-7", "MQTT-3.2.2-16")]
    public void An_empty_identifier_is_assigned_and_told(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient first = bed.Open(bed.Persistent(""), out Packet connAck);
        bed.Open(bed.Clean(""), out Packet other);
        Assert.NotNull(connAck.AssignedClientId);
        Assert.NotEqual(connAck.AssignedClientId, other.AssignedClientId);
        Assert.Equal(connAck.AssignedClientId, first.Session.ClientId);
        first.Drop();
        bed.Open(bed.Persistent(connAck.AssignedClientId!), out Packet again);
        Assert.True(again.SessionPresent);
        Assert.Null(again.AssignedClientId);
    }

    [Theory, Each(ProtocolVersion.Mqtt50)]
    public void An_assigned_identifier_belongs_to_this_loop(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Accept();
        client.Host.Owns = id => id.EndsWith('7');
        client.Connect(bed.Clean(""));
        Assert.EndsWith("7", client.Expect(PacketType.ConnAck).AssignedClientId, StringComparison.Ordinal);
    }

    [Theory, Each(ProtocolVersion.Mqtt311)]
    [Clause(Specification.Mqtt311, "MQTT-3.1.3-6")]
    public void In_3_1_1_an_empty_identifier_is_unique_too(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient first = bed.Open("");
        TestClient second = bed.Open("");
        Assert.NotEqual(first.Session.ClientId, second.Session.ClientId);
        Assert.True(first.Channel.IsOpen);
    }

    [Theory, Each(ProtocolVersion.Mqtt311)]
    [Clause(Specification.Mqtt311, "MQTT-3.1.3-7", "MQTT-3.1.3-8", "MQTT-3.2.2-5")]
    public void In_3_1_1_an_empty_identifier_needs_a_clean_session(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Dial(bed.Persistent(""));
        Assert.Equal(ReasonCode.ClientIdentifierNotValid, client.Expect(PacketType.ConnAck).Reason);
        client.ExpectClosed(ReasonCode.ClientIdentifierNotValid);
    }

    [Theory, Each(ProtocolVersion.Mqtt31)]
    public void In_3_1_an_empty_identifier_is_refused(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient client = bed.Dial(bed.Clean(""));
        Assert.Equal(ReasonCode.ClientIdentifierNotValid, client.Expect(PacketType.ConnAck).Reason);
        client.ExpectClosed(ReasonCode.ClientIdentifierNotValid);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.3-9")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.3-8")]
    public void An_identifier_above_the_limit_is_refused(Setup setup)
    {
        var bed = new TestBed(setup, new MqttOptions { MaximumClientIdBytes = 30 });
        bed.Open(new string('x', 30));
        TestClient client = bed.Dial(bed.Clean(new string('x', 31)));
        Assert.Equal(ReasonCode.ClientIdentifierNotValid, client.Expect(PacketType.ConnAck).Reason);
        client.ExpectClosed(ReasonCode.ClientIdentifierNotValid);
    }

    [Theory, Each]
    [Clause(Specification.Mqtt311, "MQTT-3.1.3-2", "MQTT-3.1.3-5")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.3-2", "MQTT-3.1.3-5")]
    public void Identifiers_of_letters_and_digits_find_their_own_session(Setup setup)
    {
        var bed = new TestBed(setup);
        const string letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        List<string> ids = [.. letters.Select(letter => letter.ToString()), letters[..23], letters[10..33], letters[^23..]];
        foreach (string id in ids)
        {
            bed.Open(bed.Persistent(id), out Packet connAck).Drop();
            Assert.False(connAck.SessionPresent);
        }

        foreach (string id in ids)
        {
            bed.Open(bed.Persistent(id), out Packet connAck);
            Assert.True(connAck.SessionPresent);
        }
    }

    [Theory, Each(ProtocolVersion.Mqtt31, ProtocolVersion.Mqtt311)]
    public void A_bridge_is_served_with_retain_kept_and_no_echo(Setup setup)
    {
        var bed = new TestBed(setup);
        TestClient bridge = bed.Open(bed.Clean("bridge") with { IsBridge = true });
        bridge.Subscribe("#", QoS.AtLeastOnce);
        TestClient device = bed.Open("device");
        device.Publish("t", "kept", new PublishSettings { Retain = true });
        Assert.True(bridge.ExpectPublish("kept").Retain);
        bridge.Publish("t", "mine").ExpectNothing();
        bridge.SendSubscribe(2, 0, ("$share/g/x", default));
        bridge.Expect(PacketType.SubAck);
        Assert.False(bridge.Session.Subscriptions.Single(s => s.Filter.IsShared).Options.NoLocal);
    }
}
