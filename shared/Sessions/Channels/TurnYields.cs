using Trunkline.Transports;

namespace Trunkline.Sessions;

/// <summary>Channels of one loop that had their share of this turn: at its end they may go on, which happens in the next. Loop thread only.</summary>
internal sealed class TurnYields(Loop loop) : IEndOfTurn
{
    private readonly List<Channel> _channels = [];

    public void Add(Channel channel)
    {
        if (_channels.Count == 0)
        {
            loop.AtEndOfTurn(this);
        }

        _channels.Add(channel);
    }

    /// <inheritdoc/>
    public void OnEndOfTurn()
    {
        foreach (Channel channel in _channels)
        {
            channel.OnNextTurn();
        }

        _channels.Clear();
    }
}
