using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>A request for the log whose first record is on its way from disk. Posted again when it can be read. Loop thread only.</summary>
internal sealed class WaitingPage(RequestHandler handler, RequestText text, Channel channel, byte[] topic, byte[] correlation)
    : WaitingRequest(channel, topic, correlation)
{
    public RequestText Text => text;

    protected override void Run() => handler.OnReadable(this);
}
