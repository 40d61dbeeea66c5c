using static Trunkline.Protocol.PacketSender;
using static Trunkline.Protocol.ProtocolVersion;

namespace Trunkline.Protocol.Tests.Vectors;

/// <content>CONNECT and CONNACK.</content>
internal static partial class VectorTable
{
    private static IEnumerable<Vector> Connects() =>
    [
        // Versions, bridges, and names and levels that are none.
        new(Mqtt31, Client, "10 {[MQIsdp] 03 02 003C [dev]}", "CONNECT clean version=3 keepalive=60 client=dev"),
        new(Mqtt311, Client, "10 {[MQTT] 04 02 003C [dev]}", "CONNECT clean version=4 keepalive=60 client=dev"),
        new(Mqtt50, Client, "10 {[MQTT] 05 02 003C {} [dev]}", "CONNECT clean version=5 keepalive=60 client=dev"),
        new(Mqtt31, Client, "10 {[MQIsdp] 83 00 0000 [b]}", "CONNECT bridge version=3 client=b"),
        new(Mqtt311, Client, "10 {[MQTT] 84 00 0000 [b]}", "CONNECT bridge version=4 client=b"),
        new(Mqtt50, Client, "10 {[MQTT] 85 00 0000 {} [b]}", "!ProtocolLevelUnsupported"),
        new(Mqtt50, Client, "10 {[MQTT] 06 00 0000 {} [b]}", "!ProtocolLevelUnsupported"),
        new(Mqtt50, Client, "10 {[MQTT] 03 00 0000 [b]}", "!ProtocolLevelUnsupported"),
        new(Mqtt50, Client, "10 {[MQIsdp] 04 00 0000 [b]}", "!ProtocolLevelUnsupported"),
        new(Mqtt50, Client, "10 {[MQTt] 04 00 0000 [b]}", "!ProtocolNameUnknown"),
        new(Mqtt50, Client, "10 {[] 04 00 0000 [b]}", "!ProtocolNameUnknown"),

        // The payload, in order.
        new(Mqtt311, Client, "10 {[MQTT] 04 02 0000 []}", "CONNECT clean version=4 client="),
        new(Mqtt311, Client, "10 {[MQTT] 04 C2 0000 [c] [me] [pw]}", "CONNECT clean version=4 client=c user=me password=pw"),
        new(Mqtt311, Client, "10 {[MQTT] 04 C2 0000 [c] [] []}", "CONNECT clean version=4 client=c user= password="),
        new(Mqtt311, Client, "10 {[MQTT] 04 82 0000 [c] [me]}", "CONNECT clean version=4 client=c user=me"),
        new(Mqtt50, Client, "10 {[MQTT] 05 42 0000 {} [c] 0002 00FF}", "CONNECT clean version=5 client=c password=%00%FF"),
        new(Mqtt311, Client, "10 {[MQTT] 04 F6 0000 [c] [w/t] 0002 0001 [me] [pw]}", "CONNECT clean version=4 client=c user=me password=pw willtopic=w/t will=%00%01 willqos=2 willretain |"),
        new(Mqtt311, Client, "10 {[MQTT] 04 0E 0000 [c] [w] []}", "CONNECT clean version=4 client=c willtopic=w will= willqos=1 |"),
        new(Mqtt311, Client, "10 {[MQTT] 04 02 0000 [c] [me]}", "!BytesLeftOver"),
        new(Mqtt311, Client, "10 {[MQTT] 04 82 0000 [c]}", "!FieldPastEnd"),
        new(Mqtt311, Client, "10 {[MQTT] 04 C2 0000 [c] [me]}", "!FieldPastEnd"),
        new(Mqtt311, Client, "10 {[MQTT] 04 06 0000 [c]}", "!FieldPastEnd"),
        new(Mqtt311, Client, "10 {[MQTT] 04 02 0000 0005 'abc'}", "!FieldPastEnd"),
        new(Mqtt311, Client, "10 {[MQTT] 04 02 0000 0002 C3 28}", "!TextMalformed"),
        new(Mqtt311, Client, "10 {[MQTT] 04 82 0000 [c] 0001 00}", "!TextMalformed"),
        new(Mqtt311, Client, "10 {[MQTT] 04 06 0000 [c] 0003 EDA080 []}", "!TextMalformed"),

        // 3.1: no reserved bit, will bits without a will are disregarded, the remaining length beats the flags.
        new(Mqtt31, Client, "10 {[MQIsdp] 03 3B 0000 [c]}", "~CONNECT clean version=3 client=c"),
        new(Mqtt31, Client, "10 {[MQIsdp] 03 C2 0000 [c]}", "~CONNECT clean version=3 client=c"),
        new(Mqtt31, Client, "10 {[MQIsdp] 03 C2 0000 [c] [me]}", "~CONNECT clean version=3 client=c user=me"),
        new(Mqtt31, Client, "10 {[MQIsdp] 03 42 0000 [c] [pw]}", "!PasswordWithoutUserName"),

        // Flags.
        new(Mqtt311, Client, "10 {[MQTT] 04 03 0000 [c]}", "!ConnectFlagReserved"),
        new(Mqtt50, Client, "10 {[MQTT] 05 03 0000 {} [c]}", "!ConnectFlagReserved"),
        new(Mqtt311, Client, "10 {[MQTT] 04 0A 0000 [c]}", "!WillQoSWithoutWill"),
        new(Mqtt50, Client, "10 {[MQTT] 05 12 0000 {} [c]}", "!WillQoSWithoutWill"),
        new(Mqtt311, Client, "10 {[MQTT] 04 22 0000 [c]}", "!WillRetainWithoutWill"),
        new(Mqtt50, Client, "10 {[MQTT] 05 22 0000 {} [c]}", "!WillRetainWithoutWill"),
        new(Mqtt311, Client, "10 {[MQTT] 04 1E 0000 [c] [w] []}", "!WillQoSInvalid"),
        new(Mqtt50, Client, "10 {[MQTT] 05 1E 0000 {} [c] {} [w] []}", "!WillQoSInvalid"),
        new(Mqtt31, Client, "10 {[MQIsdp] 03 1E 0000 [c] [w] []}", "!WillQoSInvalid"),
        new(Mqtt311, Client, "10 {[MQTT] 04 42 0000 [c] [pw]}", "!PasswordWithoutUserName"),

        // Properties.
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {11 0000000A} [c]}", "CONNECT version=5 client=c sessionexpiry=10"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {11 00000000} [c]}", "~CONNECT version=5 client=c"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {21 0014} [c]}", "CONNECT version=5 client=c receivemax=20"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {21 0000} [c]}", "!PropertyValueInvalid"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {27 00000100} [c]}", "CONNECT version=5 client=c packetmax=256"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {27 00000000} [c]}", "!PropertyValueInvalid"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {22 0007} [c]}", "CONNECT version=5 client=c aliasmax=7"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {19 01} [c]}", "CONNECT version=5 client=c responseinfo"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {19 02} [c]}", "!PropertyValueInvalid"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {17 00} [c]}", "CONNECT version=5 client=c noproblem"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {17 02} [c]}", "!PropertyValueInvalid"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {15 [PLAIN]} [c]}", "CONNECT version=5 client=c method=PLAIN"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {15 [X] 16 0002 0001} [c]}", "CONNECT version=5 client=c method=X data=%00%01"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {16 [x]} [c]}", "!AuthenticationMethodMissing"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {26 [a] [1] 26 [a] [2]} [c]}", "CONNECT version=5 client=c u=a:1 u=a:2"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {26 [a] 0001 FF} [c]}", "!TextMalformed"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {11 0000000A 11 0000000A} [c]}", "!PropertyRepeated"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {01 01} [c]}", "!PropertyNotAllowed"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {7F 01} [c]}", "!PropertyNotAllowed"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {8001 01} [c]}", "!PropertyNotAllowed"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 {11 0000} [c]}", "!FieldPastEnd"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 7F}", "!FieldPastEnd"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 8000 [c]}", "!VariableByteIntegerMalformed"),
        new(Mqtt50, Client, "10 {[MQTT] 05 00 0000 FFFFFFFF7F [c]}", "!VariableByteIntegerMalformed"),

        // Will properties.
        new(Mqtt50, Client, "10 {[MQTT] 05 04 0000 {} [c] {} [w] [p]}", "CONNECT version=5 client=c willtopic=w will=p |"),
        new(
            Mqtt50,
            Client,
            "10 {[MQTT] 05 2C 0000 {} [c] {18 00000005 01 01 02 00000009 03 [t] 08 [r] 09 0001 00 26 [k] [v]} [w] [p]}",
            "CONNECT version=5 client=c willtopic=w will=p willqos=1 willretain delay=5 format=1 expiry=9 type=t response=r correlation=%00 u=k:v |"),
        new(Mqtt50, Client, "10 {[MQTT] 05 04 0000 {} [c] {01 02} [w] [p]}", "!PropertyValueInvalid"),
        new(Mqtt50, Client, "10 {[MQTT] 05 04 0000 {} [c] {23 0001} [w] [p]}", "!PropertyNotAllowed"),
        new(Mqtt50, Client, "10 {[MQTT] 05 04 0000 {} [c] {18 00000001 18 00000001} [w] [p]}", "!PropertyRepeated"),
    ];

    private static IEnumerable<Vector> ConnAcks() =>
    [
        .. In3(Server, "20 {00 00}", "CONNACK"),
        new(Mqtt311, Server, "20 {01 00}", "CONNACK present"),
        new(Mqtt31, Server, "20 {01 00}", "~CONNACK"),
        .. In3(Server, "20 {00 01}", "CONNACK code=84"),
        .. In3(Server, "20 {00 02}", "CONNACK code=85"),
        .. In3(Server, "20 {00 03}", "CONNACK code=88"),
        .. In3(Server, "20 {00 04}", "CONNACK code=86"),
        .. In3(Server, "20 {00 05}", "CONNACK code=87"),
        .. In3(Server, "20 {00 06}", "!ConnectReturnCodeInvalid"),
        .. In3(Server, "20 {00 00 00}", "!BytesLeftOver"),
        .. InAll(Server, "20 {00}", "!FieldPastEnd"),
        new(Mqtt311, Server, "20 {02 00}", "!ConnAckFlagsInvalid"),
        new(Mqtt311, Server, "20 {01 05}", "!SessionPresentOnFailure"),
        new(Mqtt50, Server, "20 {01 00 {}}", "CONNACK present"),
        new(Mqtt50, Server, "20 {00 9D {1C [other]}}", "CONNACK code=9D server=other"),
        new(Mqtt50, Server, "20 {02 00 {}}", "!ConnAckFlagsInvalid"),
        new(Mqtt50, Server, "20 {01 87 {}}", "!SessionPresentOnFailure"),
        new(Mqtt50, Server, "20 {00 01 {}}", "!ReasonCodeNotAllowed"),
        new(Mqtt50, Server, "20 {00 8E {}}", "!ReasonCodeNotAllowed"),
        new(Mqtt50, Server, "20 {00 00}", "!VariableByteIntegerMalformed"),
        new(Mqtt50, Server, "20 {00 00 {} 00}", "!BytesLeftOver"),
        new(Mqtt50, Server, "20 {00 00 {11 00000000}}", "CONNACK sessionexpiry=0"),
        new(Mqtt50, Server, "20 {00 00 {21 0001}}", "CONNACK receivemax=1"),
        new(Mqtt50, Server, "20 {00 00 {21 0000}}", "!PropertyValueInvalid"),
        new(Mqtt50, Server, "20 {00 00 {24 01}}", "CONNACK qosmax=1"),
        new(Mqtt50, Server, "20 {00 00 {24 00}}", "CONNACK qosmax=0"),
        new(Mqtt50, Server, "20 {00 00 {24 02}}", "!PropertyValueInvalid"),
        new(Mqtt50, Server, "20 {00 00 {25 00}}", "CONNACK noretain"),
        new(Mqtt50, Server, "20 {00 00 {25 02}}", "!PropertyValueInvalid"),
        new(Mqtt50, Server, "20 {00 00 {27 00010000}}", "CONNACK packetmax=65536"),
        new(Mqtt50, Server, "20 {00 00 {12 [auto]}}", "CONNACK client=auto"),
        new(Mqtt50, Server, "20 {00 00 {22 0010}}", "CONNACK aliasmax=16"),
        new(Mqtt50, Server, "20 {00 87 {1F [no] 26 [a] [b]}}", "CONNACK code=87 reason=no u=a:b"),
        new(Mqtt50, Server, "20 {00 00 {28 00}}", "CONNACK nowildcard"),
        new(Mqtt50, Server, "20 {00 00 {28 03}}", "!PropertyValueInvalid"),
        new(Mqtt50, Server, "20 {00 00 {29 00}}", "CONNACK noidentifiers"),
        new(Mqtt50, Server, "20 {00 00 {29 02}}", "!PropertyValueInvalid"),
        new(Mqtt50, Server, "20 {00 00 {2A 00}}", "CONNACK noshared"),
        new(Mqtt50, Server, "20 {00 00 {2A 02}}", "!PropertyValueInvalid"),
        new(Mqtt50, Server, "20 {00 00 {13 0000}}", "CONNACK keepalive=0"),
        new(Mqtt50, Server, "20 {00 00 {1A [i/]}}", "CONNACK responseinfo=i/"),
        new(Mqtt50, Server, "20 {00 00 {15 [M] 16 [d]}}", "CONNACK method=M data=d"),
        new(Mqtt50, Server, "20 {00 00 {18 00000000}}", "!PropertyNotAllowed"),
        new(Mqtt50, Server, "20 {00 00 {1F [a] 1F [a]}}", "!PropertyRepeated"),
        new(
            Mqtt50,
            Server,
            "20 {01 00 {11 00000001 21 0002 24 01 27 00000003 22 0004 13 0005 25 00 28 00 29 00 2A 00 12 [c] 1A [i] 1C [s] 15 [m] 16 [d] 1F [r] 26 [k] [v]}}",
            "CONNACK present sessionexpiry=1 receivemax=2 qosmax=1 noretain packetmax=3 client=c aliasmax=4 nowildcard noidentifiers noshared keepalive=5 responseinfo=i server=s method=m data=d reason=r u=k:v"),
    ];
}
