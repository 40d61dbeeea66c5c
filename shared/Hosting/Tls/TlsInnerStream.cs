using System.Buffers;
using System.Threading.Tasks.Sources;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// What SslStream reads and writes: a transport, without a thread or a task in between. A read that waits is completed
/// inline by the bytes' arrival, so the whole of TLS runs on the transport's loop. One read at a time.
/// </summary>
internal sealed class TlsInnerStream(Transport inner) : Stream, IValueTaskSource<int>
{
    private ManualResetValueTaskSourceCore<int> _read;
    private Memory<byte> _target;
    private BufferChunk? _buffered;
    private bool _isReading;
    private bool _hasEnded;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Takes bytes from below; on the loop.</summary>
    public void Deliver(ReadOnlySpan<byte> bytes)
    {
        if (_buffered is null)
        {
            _buffered = inner.Loop.Buffers.Rent(bytes.Length);
        }
        else if (_buffered.Free.Length < bytes.Length)
        {
            BufferChunk larger = inner.Loop.Buffers.Rent(_buffered.Length + bytes.Length);
            larger.Append(_buffered.Written);
            inner.Loop.Buffers.Return(_buffered);
            _buffered = larger;
        }

        _buffered.Append(bytes);
        CompleteRead();
    }

    /// <summary>No more bytes come; a read that waits ends.</summary>
    public void End()
    {
        _hasEnded = true;
        CompleteRead();
    }

    /// <summary>Gives its buffer back.</summary>
    public void Free()
    {
        _hasEnded = true;
        if (_buffered is not null)
        {
            inner.Loop.Buffers.Return(_buffered);
            _buffered = null;
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_buffered is not null || _hasEnded)
        {
            return ValueTask.FromResult(Take(buffer.Span));
        }

        _target = buffer;
        _isReading = true;
        _read.Reset();
        return new ValueTask<int>(this, _read.Version);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        inner.Output.Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override void Write(byte[] buffer, int offset, int count) => inner.Output.Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer) => inner.Output.Write(buffer);

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    int IValueTaskSource<int>.GetResult(short token) => _read.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, ValueTaskSourceOnCompletedFlags.None);

    private void CompleteRead()
    {
        if (_isReading && (_buffered is not null || _hasEnded))
        {
            _isReading = false;
            int count = Take(_target.Span);
            _target = default;
            _read.SetResult(count);
        }
    }

    private int Take(Span<byte> target)
    {
        if (_buffered is null)
        {
            return 0;
        }

        int count = Math.Min(target.Length, _buffered.Length);
        _buffered.Written[..count].CopyTo(target);
        _buffered.Start += count;
        if (_buffered.Length == 0)
        {
            inner.Loop.Buffers.Return(_buffered);
            _buffered = null;
        }

        return count;
    }
}
