using System.Buffers;
using System.Text;

namespace Trunkline.Transports.Tests.Memory;

public sealed class MemoryTransportTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly ManualLoop _a;
    private readonly ManualLoop _b;
    private readonly Recorder _atA = new();
    private readonly Recorder _atB = new();
    private readonly MemoryTransport _endA;
    private readonly MemoryTransport _endB;

    public MemoryTransportTests()
    {
        _a = new ManualLoop(_time);
        _b = new ManualLoop(_time);
        (_endA, _endB) = MemoryTransport.CreatePair(_a, _b, new TransportSettings { SendTimeoutMs = 5_000 }, capacityBytes: 4096);
        _endA.Handler = _atA;
        _endB.Handler = _atB;
    }

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    [Fact]
    public void Bytes_arrive_in_order_and_leave_no_buffer()
    {
        Write(_endA, "hello ");
        Write(_endA, "world");
        Assert.Equal(11, _endA.UnsentBytes);
        Run();
        Assert.Equal("hello world", _atB.Text);
        Assert.Equal(0, _endA.UnsentBytes);
        Assert.Equal(0, _endB.RetainedBytes);
    }

    [Fact]
    public void A_rest_is_presented_again_with_more()
    {
        _atB.Consume = bytes => bytes.Length / 4 * 4;
        Write(_endA, "abcdef");
        Run();
        Assert.Equal("abcd", _atB.Text);
        Assert.Equal(2, _endB.RetainedBytes);
        Write(_endA, "gh");
        Run();
        Assert.Equal("abcdefgh", _atB.Text);
        Assert.Equal(0, _endB.RetainedBytes);
    }

    [Fact]
    public void A_paused_reader_makes_the_writer_grow_and_resuming_drains_it()
    {
        _endB.PauseReading();
        byte[] block = new byte[1000];
        for (int i = 0; i < 100; i++)
        {
            block.AsSpan().Fill((byte)i);
            _endA.Output.Write(block);
            Run();
        }

        Assert.InRange(_endA.UnsentBytes, 80_000, 100_000);
        Assert.Empty(_atB.Bytes);
        _endB.ResumeReading();
        Run();
        Assert.Equal(0, _endA.UnsentBytes);
        Assert.Equal(100_000, _atB.Bytes.Length);
        Assert.Equal(1, _atA.WritableCalls);
        for (int i = 0; i < 100_000; i++)
        {
            Assert.Equal((byte)(i / 1000), _atB.Bytes[i]);
            i += 499;
        }
    }

    [Fact]
    public void A_reader_that_never_resumes_runs_into_the_send_timeout()
    {
        _endB.PauseReading();
        _endA.Output.Write(new byte[100_000]);
        Run();
        _a.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Empty(_atA.Closed);
        _a.Advance(TimeSpan.FromSeconds(0.2));
        Run();
        Assert.Equal([TransportCloseReason.SendTimeout], _atA.Closed);
        Assert.Equal([TransportCloseReason.Reset], _atB.Closed);
    }

    [Fact]
    public void Graceful_close_delivers_what_was_written()
    {
        Write(_endA, "last words");
        _endA.Close(TransportClose.Graceful);
        Write(_endA, "too late");
        Run();
        Assert.Equal("last words", _atB.Text);
        Assert.Equal([TransportCloseReason.LocalClose], _atA.Closed);
        Assert.Equal([TransportCloseReason.PeerClosed], _atB.Closed);
    }

    [Fact]
    public void Abort_resets_even_a_paused_peer()
    {
        _endB.PauseReading();
        Write(_endA, "lost");
        Run();
        _endA.Close(TransportClose.Abort);
        Run();
        Assert.Equal("", _atB.Text);
        Assert.Equal([TransportCloseReason.LocalClose], _atA.Closed);
        Assert.Equal([TransportCloseReason.Reset], _atB.Closed);
    }

    [Fact]
    public void A_handler_that_replaces_itself_hands_its_rest_over()
    {
        var next = new Recorder();
        _atB.Consume = _ =>
        {
            _endB.Handler = next;
            return 2;
        };
        Write(_endA, "abcdef");
        Run();
        Assert.Equal("ab", _atB.Text);
        Assert.Equal("cdef", next.Text);
    }

    [Fact]
    public void A_move_inside_the_handler_presents_the_rest_on_the_target_only()
    {
        var target = new ManualLoop(_time);
        Loop? seenOn = null;
        _atB.Consume = bytes =>
        {
            seenOn = _endB.Loop;
            if (_endB.Loop == _b)
            {
                _endB.MoveTo(target);
                return 1;
            }

            return bytes.Length;
        };
        Write(_endA, "abc");
        Run();
        Assert.Equal("a", _atB.Text);
        Assert.Equal(target, _endB.Loop);
        Write(_endB, "reply");
        ManualLoop.RunUntilIdle(_a, _b, target);
        Assert.Equal("abc", _atB.Text);
        Assert.Equal(target, seenOn);
        Assert.Equal("reply", _atA.Text);
    }

    [Fact]
    public void A_handler_that_throws_closes_its_own_connection_alone()
    {
        var faults = new FaultList();
        var b = new ManualLoop(_time, new LoopOptions { Faults = faults });
        (MemoryTransport nearBad, MemoryTransport bad) = MemoryTransport.CreatePair(_a, b);
        (MemoryTransport nearGood, MemoryTransport good) = MemoryTransport.CreatePair(_a, b);
        var badHandler = new Recorder { Consume = _ => throw new InvalidOperationException("boom") };
        var goodHandler = new Recorder();
        var nearBadHandler = new Recorder();
        (bad.Handler, good.Handler, nearBad.Handler) = (badHandler, goodHandler, nearBadHandler);
        Write(nearBad, "x");
        Write(nearGood, "y");
        ManualLoop.RunUntilIdle(_a, b);
        Assert.Equal([TransportCloseReason.HandlerFault], badHandler.Closed);
        Assert.Equal([TransportCloseReason.Reset], nearBadHandler.Closed);
        Assert.Equal("y", goodHandler.Text);
        Assert.Equal([bad], faults.Sources);
    }

    [Fact]
    public void A_writer_that_heeds_nothing_is_closed_at_the_limit()
    {
        (MemoryTransport near, MemoryTransport far) = MemoryTransport.CreatePair(
            _a, _b, new TransportSettings { MaximumUnsentBytes = 10_000 }, capacityBytes: 1000);
        var atNear = new Recorder();
        near.Handler = atNear;
        far.PauseReading();
        for (int i = 0; i < 100; i++)
        {
            near.Output.Write(new byte[1000]);
        }

        Run();
        Assert.Equal([TransportCloseReason.OutputLimit], atNear.Closed);
    }

    [Fact]
    public void A_connector_hands_one_end_to_the_acceptor()
    {
        var acceptor = new Acceptor(_atB);
        var connector = new MemoryConnector("group-0", () => _b, acceptor);
        var attempt = new Attempt(_atA);
        connector.Connect(_a, attempt);
        Run();
        Write(attempt.Transport!, "ping");
        Run();
        Assert.Equal("ping", _atB.Text);
        connector.Refusal = "down";
        connector.Connect(_a, attempt);
        Run();
        Assert.Equal("down", attempt.Failure);
    }

    private static void Write(Transport transport, string text) => transport.Output.Write(Encoding.ASCII.GetBytes(text));

    private void Run() => ManualLoop.RunUntilIdle(_a, _b);

    private sealed class FaultList : ILoopFaults
    {
        public List<object> Sources { get; } = [];

        public void OnFault(Loop loop, object source, Exception exception) => Sources.Add(source);
    }

    private sealed class Acceptor(ITransportHandler handler) : IConnectionAcceptor
    {
        public void OnAccepted(Transport transport) => transport.Handler = handler;
    }

    private sealed class Attempt(ITransportHandler handler) : IConnectAttempt
    {
        public Transport? Transport { get; private set; }

        public string? Failure { get; private set; }

        public void OnConnected(Transport transport)
        {
            Transport = transport;
            transport.Handler = handler;
        }

        public void OnConnectFailed(string reason) => Failure = reason;
    }
}
