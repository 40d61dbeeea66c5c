using static Trunkline.Protocol.PacketSender;
using static Trunkline.Protocol.ProtocolVersion;

namespace Trunkline.Protocol.Tests.Vectors;

/// <content>PUBLISH and its acknowledgements.</content>
internal static partial class VectorTable
{
    private static IEnumerable<Vector> Publishes() =>
    [
        .. In3(Client, "30 {[a/b] 'hi'}", "PUBLISH topic=a/b payload=hi"),
        .. In3(Server, "31 {[a] }", "PUBLISH retain topic=a payload="),
        .. In3(Client, "32 {[a] 0001 'x'}", "PUBLISH qos=1 topic=a id=1 payload=x"),
        .. In3(Client, "3D {[a] FFFF 'x'}", "PUBLISH dup qos=2 retain topic=a id=65535 payload=x"),
        .. In3(Client, "30 {0003 EFBBBF}", "PUBLISH topic=%EF%BB%BF payload="),
        .. InAll(Client, "30 {0002 C300 00}", "!TextMalformed"),
        .. InAll(Client, "32 {[a] 0000 00}", "!PacketIdZero"),
        .. InAll(Client, "32 {[a]}", "!FieldPastEnd"),
        .. InAll(Client, "30 {0002 'a'}", "!FieldPastEnd"),
        .. InAll(Client, "30 {00}", "!FieldPastEnd"),
        .. InAll(Client, "30 {}", "!FieldPastEnd"),
        .. InAll(Client, "30 {[] 00}", "!TopicNameEmpty"),
        .. InAll(Client, "36 {[a] 0001 00}", "!PublishQoSInvalid"),
        .. InAll(Client, "38 {[a] 00}", "!PublishDuplicateAtQoS0"),
        new(Mqtt311, Client, "30 {0003 EDA080}", "!TextMalformed"),
        new(Mqtt311, Client, "30 {0003 610062}", "!TextMalformed"),
        .. FromBoth("30 {[a/b] {} 'hi'}", "PUBLISH topic=a/b payload=hi"),
        .. FromBoth("3B {[+] 0102 {} }", "PUBLISH dup qos=1 retain topic=+ id=258 payload="),
        new(Mqtt50, Client, "30 {[a]}", "!VariableByteIntegerMalformed"),
        new(Mqtt50, Client, "30 {[a] 05 0101}", "!FieldPastEnd"),
        .. FromBoth("30 {[a] {01 01} 'x'}", "PUBLISH topic=a format=1 payload=x"),
        .. FromBoth("30 {[a] {01 00} 'x'}", "PUBLISH topic=a format=0 payload=x"),
        .. FromBoth("30 {[a] {01 02} 'x'}", "!PropertyValueInvalid"),
        .. FromBoth("30 {[a] {01 01 01 01} 'x'}", "!PropertyRepeated"),
        .. FromBoth("30 {[a] {02 00000000} 'x'}", "PUBLISH topic=a expiry=0 payload=x"),
        .. FromBoth("30 {[a] {02 FFFFFFFF} 'x'}", "PUBLISH topic=a expiry=4294967295 payload=x"),
        .. FromBoth("30 {[a] {23 0001} 'x'}", "PUBLISH topic=a alias=1 payload=x"),
        .. FromBoth("30 {[] {23 0001} 'x'}", "PUBLISH topic= alias=1 payload=x"),
        .. FromBoth("30 {[a] {23 0000} 'x'}", "!TopicAliasZero"),
        .. FromBoth("30 {[a] {08 [r/t]} 'x'}", "PUBLISH topic=a response=r/t payload=x"),
        .. FromBoth("30 {[a] {08 0001 FF} 'x'}", "!TextMalformed"),
        .. FromBoth("30 {[a] {09 0002 00FF} 'x'}", "PUBLISH topic=a correlation=%00%FF payload=x"),
        .. FromBoth("30 {[a] {09 0000} 'x'}", "PUBLISH topic=a correlation= payload=x"),
        .. FromBoth("30 {[a] {03 [text/plain]} 'x'}", "PUBLISH topic=a type=text/plain payload=x"),
        .. FromBoth("30 {[a] {03 0001 00} 'x'}", "!TextMalformed"),
        .. FromBoth("30 {[a] {26 [k] [1] 26 [] [] 26 [k] [2]} 'x'}", "PUBLISH topic=a u=k:1 u=: u=k:2 payload=x"),
        .. FromBoth("30 {[a] {26 [k]} 'x'}", "!FieldPastEnd"),
        .. FromBoth("30 {[a] {26 0001 FF [v]} 'x'}", "!TextMalformed"),
        .. FromBoth("30 {[a] {11 00000000} 'x'}", "!PropertyNotAllowed"),
        .. FromBoth("30 {[a] {00} 'x'}", "!PropertyNotAllowed"),
        new(Mqtt50, Server, "30 {[a] {0B 01 0B FFFFFF7F} 'x'}", "PUBLISH topic=a identifier=1 identifier=268435455 payload=x"),
        new(Mqtt50, Client, "30 {[a] {0B 01} 'x'}", "!SubscriptionIdentifierFromClient"),
        new(Mqtt50, Server, "30 {[a] {0B 00} 'x'}", "!PropertyValueInvalid"),
        new(Mqtt50, Server, "30 {[a] {0B 8100} 'x'}", "!VariableByteIntegerMalformed"),
        new(Mqtt50, Server, "30 {[a] {0B FFFFFFFF01} 'x'}", "!VariableByteIntegerMalformed"),
        new(
            Mqtt50,
            Server,
            "3D {[a/b/c] 0007 {26 [a] [1] 0B 05 01 01 26 [b] [2] 02 00000009 03 [t] 08 [r] 23 0002 09 [c] 0B 8001 26 [c] [3]} 'payload'}",
            "PUBLISH dup qos=2 retain topic=a/b/c id=7 format=1 expiry=9 alias=2 type=t response=r correlation=c identifier=5 identifier=128 u=a:1 u=b:2 u=c:3 payload=payload"),
    ];

    private static IEnumerable<Vector> Acknowledgements()
    {
        foreach (var (first, name, plain, bad) in new[]
        {
            ("40", "PUBACK", "10", "92"), ("50", "PUBREC", "97", "92"), ("62", "PUBREL", "92", "10"), ("70", "PUBCOMP", "92", "80"),
        })
        {
            Vector[] rows =
            [
                .. InAll(Client, $"{first} {{0001}}", $"{name} id=1"),
                .. InAll(Server, $"{first} {{FFFE}}", $"{name} id=65534"),
                .. InAll(Client, $"{first} {{0000}}", "!PacketIdZero"),
                .. InAll(Client, $"{first} {{00}}", "!FieldPastEnd"),
                .. In3(Client, $"{first} {{0001 00}}", "!BytesLeftOver"),
                .. FromBoth($"{first} {{0001 00}}", $"~{name} id=1"),
                .. FromBoth($"{first} {{0001 00 {{}}}}", $"~{name} id=1"),
                .. FromBoth($"{first} {{0001 {plain}}}", $"{name} id=1 code={plain}"),
                .. FromBoth($"{first} {{0001 {plain} {{}}}}", $"~{name} id=1 code={plain}"),
                .. FromBoth($"{first} {{0001 {bad}}}", "!ReasonCodeNotAllowed"),
                .. FromBoth($"{first} {{0001 {plain} {{1F [why] 26 [k] [v]}}}}", $"{name} id=1 code={plain} reason=why u=k:v"),
                .. FromBoth($"{first} {{0001 00 {{1F []}}}}", $"{name} id=1 reason="),
                .. FromBoth($"{first} {{0000 {plain}}}", "!PacketIdZero"),
                .. FromBoth($"{first} {{0001 00 {{1F [a] 1F [b]}}}}", "!PropertyRepeated"),
                .. FromBoth($"{first} {{0001 00 {{01 00}}}}", "!PropertyNotAllowed"),
                .. FromBoth($"{first} {{0001 00 {{}} 00}}", "!BytesLeftOver"),
                .. FromBoth($"{first} {{0001 00 02 1F}}", "!FieldPastEnd"),
            ];
            foreach (var row in rows)
            {
                yield return row;
            }
        }

        yield return new(Mqtt311, Client, "60 {0001}", "!PubRelFlagsInvalid");
        yield return new(Mqtt50, Client, "6A {0001}", "!PubRelFlagsInvalid");
        yield return new(Mqtt31, Client, "6A {0001}", "~PUBREL id=1");
        yield return new(Mqtt311, Client, "41 {0001}", "!HeaderFlagsInvalid");
    }
}
