using System.Globalization;
using System.Text;

namespace Trunkline.Protocol.Tests.Support;

/// <summary>
/// Says all that is in a packet in one line, without what is at its default: so a table can name the packet it expects,
/// and two packets are equal where their lines are.
/// </summary>
internal sealed class Describe
{
    private readonly StringBuilder _text = new();

    private Describe(string name) => _text.Append(name);

    public static string Connect(in ConnectPacket p)
    {
        var d = new Describe("CONNECT").Flag("bridge", p.IsBridge).Flag("clean", p.CleanStart)
            .Number("version", (uint)p.Version).Number("keepalive", p.KeepAliveSeconds).Always("client", p.ClientId)
            .Optional("user", p.HasUserName, p.UserName).Optional("password", p.HasPassword, p.Password);
        if (p.HasWill)
        {
            var w = p.WillProperties;
            d.Always("willtopic", p.WillTopic).Always("will", p.WillPayload).Number("willqos", (uint)p.WillQoS)
                .Flag("willretain", p.WillRetain).Number("delay", w.DelayInterval)
                .Nullable("format", w.PayloadFormatIndicator).Nullable("expiry", w.MessageExpiryInterval)
                .Optional("type", w.HasContentType, w.ContentType).Optional("response", w.HasResponseTopic, w.ResponseTopic)
                .Optional("correlation", w.HasCorrelationData, w.CorrelationData).User(w.UserProperties).Word("|");
        }

        return d.Number("sessionexpiry", p.SessionExpiryInterval).Number("receivemax", p.ReceiveMaximum, ushort.MaxValue)
            .Number("packetmax", p.MaximumPacketSize).Number("aliasmax", p.TopicAliasMaximum)
            .Flag("responseinfo", p.RequestResponseInformation).Flag("noproblem", !p.RequestProblemInformation)
            .Optional("method", p.HasAuthenticationMethod, p.AuthenticationMethod)
            .Optional("data", p.HasAuthenticationData, p.AuthenticationData).User(p.UserProperties).ToString();
    }

    public static string ConnAck(in ConnAckPacket p) => new Describe("CONNACK").Flag("present", p.SessionPresent).Code(p.ReasonCode)
        .Nullable("sessionexpiry", p.SessionExpiryInterval).Number("receivemax", p.ReceiveMaximum, ushort.MaxValue)
        .Number("qosmax", (uint)p.MaximumQoS, 2).Flag("noretain", !p.RetainAvailable).Number("packetmax", p.MaximumPacketSize)
        .Optional("client", p.HasAssignedClientId, p.AssignedClientId).Number("aliasmax", p.TopicAliasMaximum)
        .Flag("nowildcard", !p.WildcardSubscriptionAvailable).Flag("noidentifiers", !p.SubscriptionIdentifiersAvailable)
        .Flag("noshared", !p.SharedSubscriptionAvailable).Nullable("keepalive", p.ServerKeepAliveSeconds)
        .Optional("responseinfo", p.HasResponseInformation, p.ResponseInformation)
        .Optional("server", p.HasServerReference, p.ServerReference)
        .Optional("method", p.HasAuthenticationMethod, p.AuthenticationMethod)
        .Optional("data", p.HasAuthenticationData, p.AuthenticationData)
        .Optional("reason", p.HasReasonString, p.ReasonString).User(p.UserProperties).ToString();

    public static string Publish(in PublishPacket p)
    {
        var d = new Describe("PUBLISH").Flag("dup", p.Duplicate).Number("qos", (uint)p.QoS).Flag("retain", p.Retain)
            .Always("topic", p.Topic).Number("id", p.PacketId)
            .Nullable("format", p.Properties.PayloadFormatIndicator).Nullable("expiry", p.Properties.MessageExpiryInterval)
            .Number("alias", p.Properties.TopicAlias).Optional("type", p.Properties.HasContentType, p.Properties.ContentType)
            .Optional("response", p.Properties.HasResponseTopic, p.Properties.ResponseTopic)
            .Optional("correlation", p.Properties.HasCorrelationData, p.Properties.CorrelationData);
        foreach (var identifier in p.Properties.SubscriptionIdentifiers)
        {
            d.Number("identifier", identifier);
        }

        return d.User(p.Properties.UserProperties).Always("payload", p.Payload).ToString();
    }

    public static string Acknowledgement(string name, ushort id, ReasonCode code, ReadOnlySpan<byte> reason, bool hasReason, UserPropertyList user) =>
        new Describe(name).Number("id", id).Code(code).Optional("reason", hasReason, reason).User(user).ToString();

    public static string Subscribe(in SubscribePacket p)
    {
        var d = new Describe("SUBSCRIBE").Number("id", p.PacketId).Number("identifier", p.SubscriptionIdentifier);
        foreach (var s in p.Subscriptions)
        {
            d.Always("filter", s.Filter).Number("qos", (uint)s.Options.QoS).Flag("nolocal", s.Options.NoLocal)
                .Flag("aspublished", s.Options.RetainAsPublished).Number("handling", (uint)s.Options.RetainHandling);
        }

        return d.Number("count", (uint)p.Subscriptions.Count, 1).User(p.UserProperties).ToString();
    }

    public static string Unsubscribe(in UnsubscribePacket p)
    {
        var d = new Describe("UNSUBSCRIBE").Number("id", p.PacketId);
        foreach (var filter in p.Filters)
        {
            d.Always("filter", filter);
        }

        return d.Number("count", (uint)p.Filters.Count, 1).User(p.UserProperties).ToString();
    }

    public static string Codes(string name, ushort id, ReadOnlySpan<ReasonCode> codes, ReadOnlySpan<byte> reason, bool hasReason, UserPropertyList user)
    {
        var d = new Describe(name).Number("id", id);
        foreach (var code in codes)
        {
            d.Word($"{(byte)code:X2}");
        }

        return d.Optional("reason", hasReason, reason).User(user).ToString();
    }

    public static string Disconnect(in DisconnectPacket p) => new Describe("DISCONNECT").Code(p.ReasonCode)
        .Nullable("sessionexpiry", p.SessionExpiryInterval).Optional("server", p.HasServerReference, p.ServerReference)
        .Optional("reason", p.HasReasonString, p.ReasonString).User(p.UserProperties).ToString();

    public static string Auth(in AuthPacket p) => new Describe("AUTH").Code(p.ReasonCode)
        .Optional("method", p.HasAuthenticationMethod, p.AuthenticationMethod)
        .Optional("data", p.HasAuthenticationData, p.AuthenticationData)
        .Optional("reason", p.HasReasonString, p.ReasonString).User(p.UserProperties).ToString();

    public override string ToString() => _text.ToString();

    private Describe Word(string word)
    {
        _text.Append(' ').Append(word);
        return this;
    }

    private Describe Flag(string name, bool value) => value ? Word(name) : this;

    private Describe Number(string name, uint value, uint normal = 0) =>
        value == normal ? this : Word(string.Create(CultureInfo.InvariantCulture, $"{name}={value}"));

    private Describe Nullable(string name, uint? value) =>
        value is { } known ? Word(string.Create(CultureInfo.InvariantCulture, $"{name}={known}")) : this;

    private Describe Code(ReasonCode code) => code == 0 ? this : Word($"code={(byte)code:X2}");

    private Describe Optional(string name, bool has, ReadOnlySpan<byte> value) => has ? Always(name, value) : this;

    private Describe User(UserPropertyList list)
    {
        foreach (var property in list)
        {
            Always("u", property.Key);
            _text.Append(':');
            Append(property.Value);
        }

        return this;
    }

    private Describe Always(string name, ReadOnlySpan<byte> value)
    {
        _text.Append(' ').Append(name).Append('=');
        Append(value);
        return this;
    }

    private void Append(ReadOnlySpan<byte> value)
    {
        foreach (var b in value)
        {
            _ = b is > 0x20 and < 0x7F and not (byte)'%' ? _text.Append((char)b) : _text.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }
    }
}
