namespace Trunkline.Transports.Tests.Memory;

public sealed class MemoryTransportThreadTests
{
    private const int Total = 20_000_000;

    [Fact]
    public async Task Bytes_cross_real_loops_in_order_while_both_ends_move_and_pause()
    {
        Loop[] loops = [.. Enumerable.Range(0, 3).Select(i => new ThreadLoop(new LoopOptions { Name = $"l{i}", Index = i }))];
        foreach (Loop loop in loops)
        {
            loop.Start();
        }

        (MemoryTransport a, MemoryTransport b) = MemoryTransport.CreatePair(loops[0], loops[1]);
        var reader = new Reader(b, loops);
        var writer = new Writer(a, loops);
        await loops[1].InvokeAsync(() => b.Handler = reader);
        await loops[0].InvokeAsync(() =>
        {
            a.Handler = writer;
            writer.Fill();
        });
        Assert.Equal(Total, await reader.Done.Task.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.All(loops, loop => Assert.Equal(0, loop.FaultCount));
        Assert.True(reader.Moves > 5, $"{reader.Moves} moves");
        foreach (Loop loop in loops)
        {
            loop.Dispose();
        }
    }

    private sealed class Writer(MemoryTransport transport, Loop[] loops) : ITransportHandler
    {
        private int _written;

        public void Fill()
        {
            while (_written < Total && transport.UnsentBytes <= transport.Settings.HighWaterBytes)
            {
                int count = Math.Min(Total - _written, 1 + (_written % 5000));
                Span<byte> span = transport.Output.GetSpan(count);
                for (int i = 0; i < count; i++)
                {
                    span[i] = (byte)((_written + i) % 251);
                }

                transport.Output.Advance(count);
                _written += count;
            }
        }

        public int OnReceived(ReadOnlySpan<byte> bytes) => bytes.Length;

        public void OnWritable()
        {
            Fill();
            transport.MoveTo(loops[(transport.Loop.Index + 1) % loops.Length]);
        }

        public void OnClosed(TransportCloseReason reason)
        {
        }
    }

    private sealed class Reader(MemoryTransport transport, Loop[] loops) : ITransportHandler
    {
        private int _received;
        private int _calls;

        public TaskCompletionSource<int> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Moves { get; private set; }

        public int OnReceived(ReadOnlySpan<byte> bytes)
        {
            // What is left comes again with more bytes only: nothing may be left of the last ones.
            bool isLast = _received + bytes.Length == Total;
            int take = ++_calls % 3 == 0 && !isLast ? bytes.Length / 2 : bytes.Length;
            for (int i = 0; i < take; i++)
            {
                if (bytes[i] != (byte)((_received + i) % 251))
                {
                    Done.TrySetException(new InvalidOperationException($"byte {_received + i} is wrong"));
                }
            }

            _received += take;
            if (_calls % 10 == 0)
            {
                Moves++;
                transport.MoveTo(loops[(transport.Loop.Index + 1) % loops.Length]);
            }

            if (_calls % 17 == 0)
            {
                transport.PauseReading();
                transport.Loop.Post(new Resume(transport));
            }

            if (_received == Total)
            {
                Done.TrySetResult(_received);
            }

            return take;
        }

        public void OnWritable()
        {
        }

        public void OnClosed(TransportCloseReason reason) => Done.TrySetException(new InvalidOperationException($"closed: {reason}"));
    }

    private sealed class Resume(MemoryTransport transport) : LoopWork
    {
        protected override void Run()
        {
            if (transport.Loop.IsCurrent)
            {
                transport.ResumeReading();
            }
            else
            {
                transport.Loop.Post(this);
            }
        }
    }
}
