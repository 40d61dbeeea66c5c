using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Loadtest.Tests.Clients;

public sealed class ReceiverTests
{
    private readonly LoopFigures _figures = new() { MeasureFromNs = 0 };
    private readonly Receiver _receiver;

    public ReceiverTests() => _receiver = new Receiver(_figures, run: 7);

    [Fact]
    public void It_is_up_to_date_when_it_has_what_was_published_until_it_came_back()
    {
        Take(sequence: 0, nowNs: 10);
        _receiver.OnConnectionLost(100);
        _receiver.OnBack(Sent(4), 200);
        Take(1, 210);
        Take(2, 220);
        Take(2, 225);
        Assert.True(_receiver.IsReturning);
        Take(3, 230);
        Assert.False(_receiver.IsReturning);
        Assert.Equal((1, 130), (_figures.Return.Count, _figures.Return.Max));
    }

    [Fact]
    public void Who_missed_nothing_is_up_to_date_with_the_connection()
    {
        _receiver.OnConnectionLost(100);
        _receiver.OnBack(Sent(0), 250);
        Assert.False(_receiver.IsReturning);
        Assert.Equal(150, _figures.Return.Max);
    }

    [Fact]
    public void What_was_published_after_it_came_back_is_not_waited_for()
    {
        _receiver.OnConnectionLost(100);
        _receiver.OnBack(Sent(1), 200);
        Take(1, 210);
        Assert.True(_receiver.IsReturning);
        Take(0, 220);
        Assert.False(_receiver.IsReturning);
    }

    [Fact]
    public void A_second_loss_on_the_way_back_counts_from_the_first()
    {
        _receiver.OnConnectionLost(100);
        _receiver.OnBack(Sent(1), 200);
        _receiver.OnConnectionLost(300);
        _receiver.OnBack(Sent(2), 400);
        Take(0, 410);
        Take(1, 420);
        Assert.Equal((1, 320), (_figures.Return.Count, _figures.Return.Max));
    }

    [Fact]
    public void Only_who_was_never_cut_off_is_undisturbed()
    {
        Take(0, 10);
        _receiver.OnConnectionLost(100);
        _receiver.OnBack(Sent(1), 200);
        Take(1, 210);
        Assert.Equal((1, 2), (_figures.Undisturbed.Count, _figures.Delivery.Count));
    }

    [Fact]
    public void What_comes_late_is_listed_once()
    {
        var receiver = new Receiver(_figures, run: 7) { LateNs = 50, Client = 9 };
        Take(0, 40, receiver);
        Take(1, 60, receiver);
        Take(1, 900, receiver);
        Assert.Equal([new LateArrival(9, 1, 60)], _figures.Late);
    }

    private static Dictionary<uint, uint> Sent(uint count) => new() { [3] = count };

    private void Take(uint sequence, long nowNs, Receiver? receiver = null)
    {
        byte[] payload = new byte[MessageStamp.Length];
        new MessageStamp(7, 3, sequence, 1).Write(payload);
        var packet = new PublishPacket { Topic = Encoding.UTF8.GetBytes("t"), Payload = payload, QoS = QoS.AtLeastOnce, PacketId = 1 };
        (receiver ?? _receiver).OnPublish(packet, nowNs);
    }
}
