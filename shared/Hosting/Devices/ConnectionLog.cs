using Microsoft.Extensions.Logging;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Hosting.Devices;

/// <summary>
/// One line per connection event at most, and under a flood from one address fewer: beyond a budget per address the
/// lines are held back and counted; at the end of the window a line says how many. One instance a loop, its own timer;
/// loop thread only. The budgets are the process's.
/// </summary>
/// <param name="logger">Where the lines go.</param>
/// <param name="loop">The loop whose clock counts.</param>
/// <param name="budgets">What each address may still write; shared by the process's loops.</param>
public sealed partial class ConnectionLog(ILogger logger, Loop loop, LineBudgets budgets) : LoopTimer
{
    /// <summary>Letters of a client identifier that a line shows.</summary>
    private const int MaximumShown = 256;

    /// <summary>A device was accepted.</summary>
    public void Connected(Channel channel, string clientId, bool isPresent)
    {
        if (logger.IsEnabled(LogLevel.Information) && Take(channel, out ConnectionOrigin origin))
        {
            LogConnected(logger, Shown(clientId), origin.Remote.ToString(), origin.Listener.Name, Name(channel.Version), channel.KeepAliveSeconds, isPresent);
        }
    }

    /// <summary>A connection is over; malformed input and passed limits are warnings.</summary>
    public void Closed(Channel channel, string? clientId, in ChannelClose close)
    {
        LogLevel level = close.Cause is CloseCause.ProtocolError or CloseCause.LimitExceeded or CloseCause.ConnectRefused or CloseCause.ClaimDeadline
            ? LogLevel.Warning
            : LogLevel.Information;
        if (logger.IsEnabled(level) && Take(channel, out ConnectionOrigin origin))
        {
            LogClosed(logger, level, clientId is null ? "-" : Shown(clientId), origin.Remote.ToString(), origin.Listener.Name, close.Cause, close.Reason, close.Detail ?? "-");
        }
    }

    /// <inheritdoc/>
    protected override void OnDue()
    {
        bool isAnyLeft = budgets.EndWindows(loop.NowMs, out IReadOnlyList<(string Host, long HeldBack)> heldBack, out long others);
        foreach ((string host, long count) in heldBack)
        {
            LogHeldBack(logger, count, host);
        }

        if (others > 0)
        {
            LogHeldBackOthers(logger, others, LineBudgets.MaximumAddresses);
        }

        if (isAnyLeft)
        {
            loop.Timers.Schedule(this, LineBudgets.WindowMs / 10);
        }
    }

    /// <summary>Whether there is a line left for the address a connection counts under, and where it came from, which is only told then.</summary>
    private bool Take(Channel channel, out ConnectionOrigin origin)
    {
        Transport? transport = (channel.Host as DeviceConnection)?.Transport;
        origin = ConnectionOrigin.Memory;
        if (!IsScheduled)
        {
            // Whichever loop asks last sees to the end of the windows.
            loop.Timers.Schedule(this, LineBudgets.WindowMs);
        }

        if (!budgets.Take(transport?.Remote ?? origin.Remote, loop.NowMs))
        {
            return false;
        }

        origin = transport?.Origin ?? origin;
        return true;
    }

    /// <summary>A client identifier is what a stranger sent: neither its length nor what it would do to a terminal is believed.</summary>
    private static string Shown(string clientId) =>
        clientId.Length <= MaximumShown && !clientId.Any(char.IsControl)
            ? clientId
            : new string([.. clientId.Take(MaximumShown).Select(letter => char.IsControl(letter) ? '?' : letter)])
                + (clientId.Length > MaximumShown ? "..." : "");

    private static string Name(ProtocolVersion version) => version switch
    {
        ProtocolVersion.Mqtt31 => "3.1",
        ProtocolVersion.Mqtt311 => "3.1.1",
        _ => "5.0",
    };

    [LoggerMessage(2200, LogLevel.Information, "Device {ClientId} connected from {Address} at listener {Listener}: MQTT {Version}, keep alive {KeepAliveSeconds} s, session present {SessionPresent}.")]
    private static partial void LogConnected(
        ILogger logger, string clientId, string address, string listener, string version, int keepAliveSeconds, bool sessionPresent);

    [LoggerMessage(EventId = 2201, Message = "Connection of {ClientId} from {Address} at listener {Listener} closed: {Cause}, {Reason}. {Detail}")]
    private static partial void LogClosed(
        ILogger logger, LogLevel level, string clientId, string address, string listener, CloseCause cause, ReasonCode reason, string detail);

    [LoggerMessage(2202, LogLevel.Warning, "{HeldBack} connection lines of address {Address} were held back; it connects or fails too often to log each time.")]
    private static partial void LogHeldBack(ILogger logger, long heldBack, string address);

    [LoggerMessage(2203, LogLevel.Warning, "{HeldBack} connection lines of other addresses were held back: more than {Addresses} addresses connected within the window.")]
    private static partial void LogHeldBackOthers(ILogger logger, long heldBack, int addresses);
}
