using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>A request for the log whose first record is on its way from disk. Posted again when it can be read. Loop thread only.</summary>
internal sealed class WaitingPage(RequestHandler handler, RequestText text, Channel channel, byte[] topic, byte[] correlation) : LoopWork
{
    public RequestText Text => text;

    public Channel Channel => channel;

    public byte[] Topic => topic;

    /// <summary>The correlation data of the answer, as a property.</summary>
    public byte[] Correlation => correlation;

    protected override void Run() => handler.OnReadable(this);
}
