namespace Trunkline.Loadtest.Tests.Clients;

public sealed class InFlightWindowTests
{
    [Fact]
    public void Ids_are_given_once_and_come_back()
    {
        var window = new InFlightWindow(3);
        ushort[] ids = [.. Enumerable.Range(0, 3).Select(i => window.Take(new InFlightMessage((uint)i, i, false)))];
        Assert.Equal(3, ids.Distinct().Count());
        Assert.DoesNotContain((ushort)0, ids);
        Assert.True(window.IsFull);
        Assert.True(window.TryRelease(ids[1], out InFlightMessage message));
        Assert.Equal(1u, message.Sequence);
        Assert.False(window.TryRelease(ids[1], out _));
        Assert.False(window.TryRelease(0, out _));
        Assert.False(window.TryRelease(4, out _));
        Assert.Equal(2, window.Count);
    }

    [Fact]
    public void What_is_in_flight_is_sent_again_in_order()
    {
        var window = new InFlightWindow(4);
        ushort first = window.Take(new InFlightMessage(0, 0, false));
        window.Take(new InFlightMessage(1, 0, false));
        window.TryRelease(first, out _);
        window.Take(new InFlightMessage(2, 0, false));
        window.Take(new InFlightMessage(3, 0, false));
        Assert.Equal([1u, 2u, 3u], window.InOrder().Select(entry => entry.Message.Sequence));
    }
}
