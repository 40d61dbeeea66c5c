using System.Net;

namespace Trunkline.Hosting;

/// <summary>One listening socket and the connections it takes; <c>Listeners:n</c> in the configuration.</summary>
public sealed record ListenerOptions
{
    /// <summary>Name in logs and metrics.</summary>
    public string Name { get; init; } = "";

    /// <summary>What it speaks.</summary>
    public ListenerType Type { get; init; } = ListenerType.Tcp;

    /// <summary>Address and port, e.g. <c>127.0.0.1:1883</c> or <c>[::]:1883</c>; port 0 takes any free one.</summary>
    public string Address { get; init; } = "127.0.0.1:1883";

    /// <summary>Connections the kernel holds until they are accepted; net.core.somaxconn caps it.</summary>
    public int Backlog { get; init; } = 4096;

    /// <summary>Sends small packets at once (TCP_NODELAY).</summary>
    public bool NoDelay { get; init; } = true;

    /// <summary>
    /// A peer that was silent for so many seconds is probed by TCP, and its connection ends after three probes, a quarter
    /// of that time apart, without an answer: so devices without a keep alive that vanish are found, too. 0 for none.
    /// </summary>
    public int TcpKeepAliveSeconds { get; init; } = 300;

    /// <summary>A device that takes nothing for this long while bytes wait for it is closed.</summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time from accept to a whole CONNECT: PROXY header, TLS and upgrade included.</summary>
    public TimeSpan ConnectDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Connections at a time; at the limit a new one is accepted and closed, counted, and listening goes on.</summary>
    public int MaximumConnections { get; init; } = 1_000_000;

    /// <summary>
    /// Descriptors of the process (ulimit -n) that devices leave free for links, directory, files and the management port;
    /// beyond it a new connection is closed, counted, and accepting pauses for 100 ms. On Linux.
    /// </summary>
    public int DescriptorReserve { get; init; } = 64;

    /// <summary>Addresses that may connect, in CIDR notation; empty: all. The device's own address counts, as a trusted proxy's header tells it.</summary>
    public IReadOnlyList<string> Allow { get; init; } = [];

    /// <summary>Addresses that may not connect, in CIDR notation; stronger than <see cref="Allow"/>.</summary>
    public IReadOnlyList<string> Deny { get; init; } = [];

    /// <summary>PROXY protocol.</summary>
    public ProxyProtocolOptions ProxyProtocol { get; init; } = new();

    /// <summary>TLS, for <c>tls</c> and <c>wss</c>.</summary>
    public TlsOptions Tls { get; init; } = new();

    /// <summary>WebSocket, for <c>ws</c> and <c>wss</c>.</summary>
    public WebSocketOptions WebSocket { get; init; } = new();

    /// <summary>Whether TLS ends here.</summary>
    public bool UsesTls => Type is ListenerType.Tls or ListenerType.Wss;

    /// <summary>Whether it speaks WebSocket.</summary>
    public bool UsesWebSocket => Type is ListenerType.Ws or ListenerType.Wss;

    /// <summary>Adds a sentence per error, with the setting's path and what to do.</summary>
    public void Validate(string path, ICollection<string> errors)
    {
        if (!TryParseEndPoint(Address, out _))
        {
            errors.Add($"{path}:Address is \"{Address}\"; write an IP address and a port, for example 127.0.0.1:1883 or [::1]:1883.");
        }

        Require(Backlog > 0, $"{path}:Backlog is {Backlog}; it must be at least 1.");
        Require(MaximumConnections > 0, $"{path}:MaximumConnections is {MaximumConnections}; it must be at least 1.");
        Require(DescriptorReserve is >= 0 and <= 1_000_000, $"{path}:DescriptorReserve is {DescriptorReserve}; set it between 0 and 1000000.");
        Require(TcpKeepAliveSeconds is >= 0 and <= 32_767, $"{path}:TcpKeepAliveSeconds is {TcpKeepAliveSeconds}; set it between 1 and 32767, or 0 for none.");
        Require(IsDuration(SendTimeout), $"{path}:SendTimeoutMs is {SendTimeout.TotalMilliseconds}; set it between 100 and 86400000.");
        Require(IsDuration(ConnectDeadline), $"{path}:ConnectDeadlineMs is {ConnectDeadline.TotalMilliseconds}; set it between 100 and 86400000.");
        AddressRanges.Validate(Allow, $"{path}:Allow", errors);
        AddressRanges.Validate(Deny, $"{path}:Deny", errors);
        ProxyProtocol.Validate($"{path}:ProxyProtocol", errors);
        if (UsesTls)
        {
            Tls.Validate($"{path}:Tls", errors);
        }

        if (UsesWebSocket)
        {
            WebSocket.Validate($"{path}:WebSocket", errors);
        }

        void Require(bool condition, string error)
        {
            if (!condition)
            {
                errors.Add(error);
            }
        }
    }

    /// <summary>Reads <c>address:port</c>, the port written out and an IPv6 address in brackets: without, ::1 would be an address and any port.</summary>
    public static bool TryParseEndPoint(string text, out IPEndPoint? endPoint)
    {
        int colon = text.LastIndexOf(':');
        bool isWhole = colon > 0 && colon < text.Length - 1 && (text[0] == '[') == (text[colon - 1] == ']')
            && (text[0] == '[' || text.IndexOf(':', StringComparison.Ordinal) == colon);
        endPoint = null;
        return isWhole && IPEndPoint.TryParse(text, out endPoint);
    }

    internal static bool IsDuration(TimeSpan value) => value >= TimeSpan.FromMilliseconds(100) && value <= TimeSpan.FromDays(1);
}
