using System.Buffers;
using System.Text;

namespace Trunkline.Transports.Tests.Transports;

/// <summary>Output that leaves by a permission: a hold of the process between the look at it and the send is seen.</summary>
public sealed class PermittedOutputTests : IDisposable
{
    private const int LimitMs = 500;

    private readonly ManualTime _time = new();
    private readonly ManualLoop _a;
    private readonly ManualLoop _b;
    private readonly Recorder _atA = new();
    private readonly Recorder _atB = new();
    private readonly MemoryTransport _endA;
    private readonly MemoryTransport _endB;
    private int _withdrawn;

    public PermittedOutputTests()
    {
        _a = new ManualLoop(_time) { PermissionMs = LimitMs, OutputWithdrawn = () => _withdrawn++ };
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

    [Theory]
    [InlineData(LimitMs, "two", 0)]
    [InlineData(LimitMs + 1, "", 1)]
    public void It_is_withheld_when_the_process_was_held_past_the_limit_since_it_was_written(int heldMs, string got, int told)
    {
        WritePermitted("two");
        HoldBeforeSend(heldMs);
        Run();
        Assert.Equal(got, _atB.Text);
        Assert.Equal(told, _atA.WithheldCalls);
    }

    [Fact]
    public void Output_without_a_permission_leaves_after_a_hold()
    {
        Write("one");
        HoldBeforeSend(10_000);
        Run();
        Assert.Equal("one", _atB.Text);
        Assert.Equal(0, _atA.WithheldCalls);
    }

    [Fact]
    public void The_oldest_permission_of_what_is_unsent_counts()
    {
        WritePermitted("two");
        _time.Advance(TimeSpan.FromMilliseconds(LimitMs));
        _endA.MarkPermitted(_a.ReadClockMs());
        HoldBeforeSend(1);
        Run();
        Assert.Equal("", _atB.Text);

        _endA.SendWithheld(_a.ReadClockMs());
        _endA.MarkPermitted(_a.ReadClockMs());
        Write("new");
        _endA.MarkPermitted(_a.ReadClockMs() - LimitMs - 1);
        Run();
        Assert.Equal("two", _atB.Text);
    }

    [Fact]
    public void Nothing_of_the_connection_leaves_until_it_is_permitted_anew()
    {
        Withhold("two");
        Write("after");
        _a.Advance(TimeSpan.FromSeconds(60));
        Run();
        Assert.Equal("", _atB.Text);
        Assert.Empty(_atA.Closed);

        _endA.SendWithheld(_a.ReadClockMs());
        Run();
        Assert.Equal("twoafter", _atB.Text);

        // The permission is spent with what left by it.
        Write("plain");
        HoldBeforeSend(10_000);
        Run();
        Assert.Equal("twoafterplain", _atB.Text);
    }

    [Fact]
    public void What_was_written_before_needs_no_permission_and_is_not_dropped_with_it()
    {
        Write("one");
        Withhold("two", "one");
        _endA.DropPermitted();
        Write("end");
        Run();
        Assert.Equal("oneend", _atB.Text);
        Assert.Empty(_atA.Closed);
    }

    [Fact]
    public void It_is_withheld_again_when_the_process_was_held_again()
    {
        Withhold("two");
        int told = _atA.WithheldCalls;
        long looked = _a.ReadClockMs();
        _time.Advance(TimeSpan.FromMilliseconds(LimitMs + 1));
        _endA.SendWithheld(looked);
        Run();
        Assert.Equal("", _atB.Text);
        Assert.True(_atA.WithheldCalls > told, "asked again");
    }

    [Fact]
    public void What_a_full_peer_did_not_take_is_looked_at_when_it_does()
    {
        _endB.PauseReading();
        _endA.MarkPermitted(_a.NowMs);
        _endA.Output.Write(new byte[100_000]);
        Run();
        int left = 100_000 - _endA.UnsentBytes;
        Assert.InRange(left, 1, 50_000);
        _a.Advance(TimeSpan.FromMilliseconds(LimitMs + 100));
        _endB.ResumeReading();
        Run();
        Assert.Equal(left, _atB.Bytes.Length);
        Assert.NotEqual(0, _atA.WithheldCalls);

        _a.Advance(TimeSpan.FromSeconds(60));
        Assert.Empty(_atA.Closed);
        _endA.SendWithheld(_a.ReadClockMs());
        Run();
        Assert.Equal(100_000, _atB.Bytes.Length);
    }

    [Fact]
    public void The_end_of_a_packet_whose_beginning_left_early_is_looked_at_too()
    {
        (MemoryTransport near, MemoryTransport far) = MemoryTransport.CreatePair(_a, _b);
        var atNear = new Recorder();
        var atFar = new Recorder();
        (near.Handler, far.Handler) = (atNear, atFar);
        near.MarkPermitted(_a.NowMs);
        var block = new byte[1024];
        for (int i = 0; i < 100; i++)
        {
            near.Output.Write(block);
        }

        int early = 102_400 - near.UnsentBytes;
        Assert.InRange(early, 60_000, 102_000);
        HoldBeforeSend(LimitMs + 1);
        Run();
        Assert.Equal(early, atFar.Bytes.Length);
        Assert.Equal(1, atNear.WithheldCalls);

        near.DropPermitted();
        Run();
        Assert.Equal([TransportCloseReason.Withdrawn], atNear.Closed);
        Assert.Equal([TransportCloseReason.Reset], atFar.Closed);
    }

    [Fact]
    public void What_a_full_peer_did_not_take_cannot_be_taken_back_when_a_part_has_left()
    {
        _endB.PauseReading();
        _endA.MarkPermitted(_a.NowMs);
        var block = new byte[1024];
        for (int i = 0; i < 200; i++)
        {
            _endA.Output.Write(block);
        }

        Run();
        Assert.True(_endA.HoldsPermitted);
        _endA.DropPermitted();
        Run();
        Assert.Equal([TransportCloseReason.Withdrawn], _atA.Closed);
        Assert.Equal(1, _withdrawn);
    }

    [Fact]
    public void Dropped_whole_it_makes_room_for_last_words()
    {
        Withhold("two");
        _endA.DropPermitted();
        Write("bye");
        _endA.Close(TransportClose.Graceful);
        Run();
        Assert.Equal("bye", _atB.Text);
        Assert.Equal([TransportCloseReason.PeerClosed], _atB.Closed);
        Assert.Equal(1, _withdrawn);
    }

    [Fact]
    public void Dropping_leaves_output_without_a_permission_alone()
    {
        Write("one");
        _endA.DropPermitted();
        Run();
        Assert.Equal("one", _atB.Text);
        Assert.Equal(0, _withdrawn);
    }

    [Fact]
    public void A_graceful_close_ends_a_withheld_one_without_sending()
    {
        Withhold("two");
        Write("bye");
        _endA.Close(TransportClose.Graceful);
        Run();
        Assert.Equal("", _atB.Text);
        Assert.Equal([TransportCloseReason.Reset], _atB.Closed);
        Assert.Equal([TransportCloseReason.Withdrawn], _atA.Closed);
        Assert.Equal(1, _withdrawn);
    }

    [Fact]
    public void A_graceful_close_does_not_wait_for_a_full_peer_to_take_it()
    {
        _endB.PauseReading();
        _endA.MarkPermitted(_a.NowMs);
        _endA.Output.Write(new byte[100_000]);
        Run();
        _endA.Close(TransportClose.Graceful);
        Run();
        Assert.Equal([TransportCloseReason.Withdrawn], _atA.Closed);
        Assert.Equal([TransportCloseReason.Reset], _atB.Closed);
    }

    [Fact]
    public void A_close_while_the_permission_is_young_sends_it()
    {
        WritePermitted("two");
        _endA.Close(TransportClose.Graceful);
        Run();
        Assert.Equal("two", _atB.Text);
        Assert.Equal([TransportCloseReason.LocalClose], _atA.Closed);
    }

    [Fact]
    public void It_stays_withheld_on_the_loop_it_moves_to()
    {
        Withhold("two");
        var target = new ManualLoop(_time);
        _endA.MoveTo(target);
        int told = _atA.WithheldCalls;
        ManualLoop.RunUntilIdle(_a, _b, target);
        Assert.Equal("", _atB.Text);
        Assert.True(_atA.WithheldCalls > told, "told on the new loop");
        _endA.SendWithheld(target.ReadClockMs());
        ManualLoop.RunUntilIdle(_a, _b, target);
        Assert.Equal("two", _atB.Text);
    }

    private void Withhold(string text, string left = "")
    {
        WritePermitted(text);
        HoldBeforeSend(LimitMs + 1);
        Run();
        Assert.Equal(left, _atB.Text);
    }

    private void WritePermitted(string text)
    {
        _endA.MarkPermitted(_a.NowMs);
        Write(text);
    }

    private void Write(string text) => _endA.Output.Write(Encoding.ASCII.GetBytes(text));

    /// <summary>The process stands still at the end of the turn, before anything is sent.</summary>
    private void HoldBeforeSend(int ms) => _a.AtEndOfTurn(new Hold(_time, ms));

    private void Run() => ManualLoop.RunUntilIdle(_a, _b);

    private sealed class Hold(ManualTime time, int ms) : IEndOfTurn
    {
        public void OnEndOfTurn() => time.Advance(TimeSpan.FromMilliseconds(ms));
    }
}
