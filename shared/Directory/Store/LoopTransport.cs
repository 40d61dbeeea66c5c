using System.Buffers;
using RESPite.Transports;
using Trunkline.Transports;

// The library calls its transports experimental: its version is pinned, and without this file it uses sockets of its own.
#pragma warning disable SER009

namespace Trunkline.Directory;

/// <summary>
/// A connection to Redis whose bytes arrive and leave within the turns of one loop: no other thread is woken for a call
/// that this loop makes, and what its turn writes leaves in one system call.
/// </summary>
/// <remarks>
/// The library stages and flushes on any thread, one at a time. What another thread flushes is carried over by one piece of
/// work, whatever its number of calls.
/// </remarks>
internal sealed class LoopTransport : DuplexTransport, ITransportHandler
{
    private const int StagedBytes = 4_096;

    // After a burst a larger buffer is not kept.
    private const int MostStagedBytesKept = 65_536;

    private readonly Lock _gate = new();
    private readonly Loop _loop;
    private readonly Transport _transport;
    private readonly CarryWork _carry;
    private ArrayBufferWriter<byte> _staged = new(StagedBytes);
    private ArrayBufferWriter<byte> _flushed = new(StagedBytes);
    private TransportReceiver? _receiver;
    private bool _isCarried;
    private volatile bool _isClosed;

    /// <summary>Takes over a connected transport, on its loop.</summary>
    internal LoopTransport(Transport transport)
    {
        _loop = transport.Loop;
        _transport = transport;
        _carry = new CarryWork(this);
        transport.Handler = this;
    }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => _staged.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => _staged.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override void Advance(int count) => _staged.Advance(count);

    /// <inheritdoc/>
    public override bool Flush()
    {
        if (_isClosed)
        {
            Empty(ref _staged);
            return false;
        }

        bool isOnLoop = _loop.IsCurrent;
        bool isFirst = false;
        lock (_gate)
        {
            _flushed.Write(_staged.WrittenSpan);
            if (!isOnLoop)
            {
                isFirst = !_isCarried;
                _isCarried = true;
            }
        }

        Empty(ref _staged);
        if (isOnLoop)
        {
            Send();
        }
        else if (isFirst)
        {
            _loop.Post(_carry);
        }

        return true;
    }

    /// <inheritdoc/>
    public override void Start(TransportReceiver receiver) => _loop.Post(() =>
    {
        _receiver = receiver;
        if (_isClosed)
        {
            receiver.OnClosed(null);
        }
    });

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _loop.Post(() => _transport.Close(TransportClose.Abort));
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    int ITransportHandler.OnReceived(ReadOnlySpan<byte> bytes)
    {
        // Nothing is read before Start but what a server says that does not want us, and that closes.
        if (_receiver is not { } receiver)
        {
            return 0;
        }

        if (!receiver.OnReceived(bytes))
        {
            _transport.Close(TransportClose.Abort);
        }

        receiver.OnBatchEnd();
        return bytes.Length;
    }

    /// <inheritdoc/>
    void ITransportHandler.OnWritable()
    {
    }

    /// <inheritdoc/>
    void ITransportHandler.OnClosed(TransportCloseReason reason)
    {
        _isClosed = true;
        _receiver?.OnClosed(null);
    }

    // On the loop. What is written to a closed connection is dropped there.
    private void Send()
    {
        lock (_gate)
        {
            _transport.Output.Write(_flushed.WrittenSpan);
            Empty(ref _flushed);
        }
    }

    private static void Empty(ref ArrayBufferWriter<byte> buffer)
    {
        if (buffer.Capacity > MostStagedBytesKept)
        {
            buffer = new ArrayBufferWriter<byte>(StagedBytes);
        }
        else
        {
            buffer.ResetWrittenCount();
        }
    }

    private sealed class CarryWork(LoopTransport owner) : LoopWork
    {
        protected override void Run()
        {
            lock (owner._gate)
            {
                owner._isCarried = false;
            }

            owner.Send();
        }
    }
}
