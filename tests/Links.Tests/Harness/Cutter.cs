using Trunkline.Transports;

namespace Trunkline.Links.Tests;

/// <summary>Cuts connections after so many bytes received, to the byte: each gets a number of its own.</summary>
internal sealed class Cutter(Func<int>? bytesUntilCut)
{
    public int Cuts { get; private set; }

    public bool MayCut { get; set; } = true;

    /// <summary>Puts itself before the transport's handler.</summary>
    public void Watch(Transport transport)
    {
        if (MayCut && bytesUntilCut is not null)
        {
            transport.Handler = new CutHandler(this, transport, transport.Handler, bytesUntilCut());
        }
    }

    /// <summary>Hands on so many bytes, then cuts.</summary>
    private sealed class CutHandler(Cutter owner, Transport transport, ITransportHandler inner, int bytes) : ITransportHandler
    {
        private int _left = bytes;

        public int OnReceived(ReadOnlySpan<byte> received)
        {
            if (!owner.MayCut)
            {
                return inner.OnReceived(received);
            }

            if (received.Length <= _left)
            {
                int used = inner.OnReceived(received);
                _left -= used;
                return used;
            }

            int last = inner.OnReceived(received[.._left]);
            owner.Cuts++;
            transport.Close(TransportClose.Abort);
            return last;
        }

        public void OnWritable() => inner.OnWritable();

        public void OnClosed(TransportCloseReason reason) => inner.OnClosed(reason);
    }
}
