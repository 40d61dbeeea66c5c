using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.Support;

/// <summary>The server's end of a test connection: echoes by default, and tells the test what happens.</summary>
internal sealed class Peer : ITransportHandler
{
    private readonly Channel<int> _received = Channel.CreateUnbounded<int>();

    public Peer(Transport transport, bool echo)
    {
        Transport = transport;
        Echo = echo;
        FirstLoop = transport.Loop;
    }

    public Transport Transport { get; }

    public Loop FirstLoop { get; }

    public bool Echo { get; }

    /// <summary>Overrides what happens with bytes.</summary>
    public Func<Peer, byte[], int>? OnBytes { get; set; }

    public TaskCompletionSource<TransportCloseReason> Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Writable { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Withheld { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConcurrentQueue<byte[]> Received { get; } = new();

    public int CloseCalls { get; private set; }

    public int OnReceived(ReadOnlySpan<byte> bytes)
    {
        if (!Transport.Loop.IsCurrent)
        {
            throw new InvalidOperationException("Received on a foreign thread.");
        }

        int consumed = bytes.Length;
        if (OnBytes is not null)
        {
            consumed = OnBytes(this, bytes.ToArray());
        }

        if (Echo)
        {
            Transport.Output.Write(bytes[..consumed]);
        }

        Received.Enqueue(bytes[..consumed].ToArray());
        _received.Writer.TryWrite(consumed);
        return consumed;
    }

    public void OnWritable() => Writable.TrySetResult();

    public void OnWithheld() => Withheld.TrySetResult();

    public void OnClosed(TransportCloseReason reason)
    {
        CloseCalls++;
        Closed.TrySetResult(reason);
    }

    public async Task WaitForBytesAsync(int count)
    {
        for (int total = 0; total < count;)
        {
            total += await _received.Reader.ReadAsync().AsTask().WaitAsync(Deadline.Long);
        }
    }

    public Task OnLoop(Action<Transport> action) => Transport.Loop.InvokeAsync(() => action(Transport));
}
