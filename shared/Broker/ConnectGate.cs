using System.Text;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// Decides on a CONNECT: who announces a link by our user property becomes one, anyone else is an ordinary client, and
/// is let in only while memory is ample.
/// </summary>
internal sealed class ConnectGate(BrokerState state, LinkTable links, string incarnation)
{
    public void Ask(ConnectRequest request, Channel channel)
    {
        if (!state.Context.Registry.HasRoomFor(request.ClientId))
        {
            channel.Refuse(ReasonCode.QuotaExceeded, "This broker holds Mqtt:MaximumSessions sessions.");
            return;
        }

        string? value = null;
        string key = Encoding.UTF8.GetString(ForwardableProperties.TrunklineKey);
        foreach ((string name, string text) in request.UserProperties)
        {
            value = name == key ? text : value;
        }

        if (value is null)
        {
            OpenOrdinary(channel);
            return;
        }

        LinkHello? hello = LinkHello.TryParse(value, out string error);
        if (hello is not null && (!request.CleanStart || request.SessionExpirySeconds != 0))
        {
            error = "A link connects with Clean Start 1 and Session Expiry 0.";
        }

        if (hello is null || error.Length > 0)
        {
            BrokerLog.LinkRefused(state.Logger, state.Name, error);
            channel.Refuse(ReasonCode.ImplementationSpecificError, error);
            return;
        }

        Open(hello, channel);
    }

    private void OpenOrdinary(Channel channel)
    {
        if (state.Context.Loop.Memory.Level != MemoryLevel.Ample)
        {
            state.Counters.Add(BrokerCounter.RefusedByMemory);
            channel.Refuse(ReasonCode.ServerBusy, "This broker's memory is down to Memory:ReservePercent; it takes links only.");
            return;
        }

        channel.Open();
    }

    private void Open(LinkHello hello, Channel channel)
    {
        RaiseTerm(hello);
        var text = new LinkText(stackalloc byte[LinkText.MaximumBytes + incarnation.Length]);
        text.Number('v', 1);
        text.Number('t', state.Log.Term);
        text.Text('i', Encoding.UTF8.GetBytes(incarnation));
        var properties = new UserPropertyBuilder(stackalloc byte[LinkText.MaximumBytes + incarnation.Length + 16]);
        properties.TryAdd(ForwardableProperties.TrunklineKey, text.Value);
        channel.Open(properties.Block);
        if (channel.Session is not { IsEnded: false } session)
        {
            return;
        }

        if (hello.IsPublish)
        {
            links.OpenPublish(session, hello);
        }
        else
        {
            links.OpenReceive(session, hello);
        }
    }

    private void RaiseTerm(LinkHello hello)
    {
        IGroupLog log = state.Log;
        if (hello.HighestTerm < log.Term)
        {
            return;
        }

        bool allDispatched = state.Dispatched == log.Tail;
        log.RaiseTermAbove(hello.HighestTerm);
        if (allDispatched && log.Committed == log.Tail)
        {
            // Else it comes with the commit: no position of a term that is not stored is told.
            state.Dispatched = log.Tail;
        }

        BrokerLog.TermRaised(state.Logger, state.Name, log.Term, hello.Node, hello.HighestTerm);
    }
}
