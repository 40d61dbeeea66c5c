using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>A request that is answered later: what its answer needs. Loop thread only.</summary>
/// <param name="channel">The connection that asked.</param>
/// <param name="topic">Where it wants the answer.</param>
/// <param name="correlation">The correlation data of the answer, as a property.</param>
internal abstract class WaitingRequest(Channel channel, byte[] topic, byte[] correlation) : LoopWork
{
    public Channel Channel => channel;

    public byte[] Topic => topic;

    public byte[] Correlation => correlation;
}
