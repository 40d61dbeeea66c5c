using System.Net;
using Trunkline.Hosting.Devices;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.Devices;

public sealed class ConnectionLogTests : IDisposable
{
    private readonly LogList _log = new();
    private readonly ManualLoop _loop = new();
    private readonly DeviceServer _server;
    private readonly LineBudgets _budgets = new(linesPerWindow: 3);
    private readonly ConnectionLog _lines;

    public ConnectionLogTests()
    {
        _server = new DeviceServer([new SessionContext(_loop, new MqttOptions())], [new OpenGate(holds: true)]);
        _lines = new ConnectionLog(_log, _loop, _budgets);
    }

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void One_line_a_connection_event_with_client_address_and_reason()
    {
        Channel channel = Connection("10.1.2.3", 4711);
        _lines.Connected(channel, "device-7", isPresent: true);
        _lines.Closed(channel, "device-7", new ChannelClose(CloseCause.ProtocolError, ReasonCode.MalformedPacket, "[MQTT-2.1.3-1] flags"));

        Assert.Equal(
            [
                "2200 Device device-7 connected from 10.1.2.3:4711 at listener test: MQTT 3.1.1, keep alive 0 s, session present True. ",
                "2201 Connection of device-7 from 10.1.2.3:4711 at listener test closed: ProtocolError, MalformedPacket. [MQTT-2.1.3-1] flags ",
            ],
            _log.Lines);
    }

    [Fact]
    public void A_client_identifier_is_shown_short_and_without_what_moves_a_terminal()
    {
        _lines.Connected(Connection("10.1.2.3", 1), "a\u001b[2J\r\nb", isPresent: false);
        _lines.Connected(Connection("10.1.2.3", 2), new string('x', 60_000), isPresent: false);
        Assert.Contains("Device a?[2J??b connected", _log.Lines.First(), StringComparison.Ordinal);
        Assert.Contains($"Device {new string('x', 256)}... connected", _log.Lines.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public void Beyond_the_budget_of_an_address_lines_are_held_back_and_counted()
    {
        for (int port = 1; port <= 10; port++)
        {
            _lines.Connected(Connection("10.1.2.3", port), "x", isPresent: false);
        }

        Assert.Equal(3, _log.Lines.Count);

        _lines.Connected(Connection("10.1.2.4", 1), "y", isPresent: false);
        Assert.Equal(4, _log.Lines.Count);

        _loop.Advance(TimeSpan.FromSeconds(11));
        _lines.Connected(Connection("10.1.2.3", 11), "x", isPresent: false);
        Assert.Equal(
            ["2202 7 connection lines of address 10.1.2.3 were held back; it connects or fails too often to log each time. "],
            _log.Lines.Where(line => line.StartsWith("2202", StringComparison.Ordinal)));
        Assert.Contains("10.1.2.3:11 ", _log.Lines.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public void All_loops_of_a_process_share_the_budget_of_an_address()
    {
        using var otherLoop = new ManualLoop();
        var other = new ConnectionLog(_log, otherLoop, _budgets);
        for (int port = 1; port <= 10; port++)
        {
            (port % 2 == 0 ? other : _lines).Connected(Connection("10.1.2.3", port), "x", isPresent: false);
        }

        Assert.Equal(3, _log.Lines.Count);
        _loop.Advance(TimeSpan.FromSeconds(11));
        otherLoop.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(4, _log.Lines.Count);
        Assert.StartsWith("2202 7 connection lines of address 10.1.2.3", _log.Lines.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_held_back_is_told_without_a_further_connection()
    {
        for (int port = 1; port <= 5; port++)
        {
            _lines.Connected(Connection("10.1.2.3", port), "x", isPresent: false);
        }

        _loop.Advance(TimeSpan.FromSeconds(11));
        Assert.StartsWith("2202 2 connection lines of address 10.1.2.3", _log.Lines.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_flood_from_everywhere_is_told_as_one()
    {
        for (int i = 0; i < 10_001; i++)
        {
            Channel channel = Connection($"10.{i >> 16}.{(i >> 8) & 255}.{i & 255}", 1);
            for (int n = 0; n < 4; n++)
            {
                _lines.Connected(channel, "x", isPresent: false);
            }
        }

        _loop.Advance(TimeSpan.FromSeconds(11));
        long told = _log.Lines.Where(line => line.StartsWith("2202", StringComparison.Ordinal) || line.StartsWith("2203", StringComparison.Ordinal))
            .Sum(line => long.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture));
        long written = _log.Lines.Count(line => line.StartsWith("2200", StringComparison.Ordinal));
        Assert.Equal(40_004, told + written);
    }

    private Channel Connection(string address, int port)
    {
        var origin = new ConnectionOrigin(
            new ListenerIdentity("test", "tcp", default), NetworkAddress.From(new IPEndPoint(IPAddress.Parse(address), port)));
        (MemoryTransport near, _) = MemoryTransport.CreatePair(_loop, _loop, TransportSettings.Default, origin, 1024);
        var connection = new DeviceConnection(_server, near, 60_000);
        near.Handler = connection;
        return connection.Channel;
    }
}
