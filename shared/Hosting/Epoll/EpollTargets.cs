namespace Trunkline.Hosting;

/// <summary>
/// Who is told of a descriptor's events, by its number. In pieces of 1,024: growing copies nothing and leaves no large
/// object behind, and a loop pays for pieces in which it has a descriptor, not for twice the highest number. Loop thread only.
/// </summary>
internal sealed class EpollTargets
{
    private const int PieceBits = 10;
    private const int PieceSize = 1 << PieceBits;

    private IEpollTarget?[]?[] _pieces = new IEpollTarget?[]?[32];

    /// <summary>The target of a descriptor, or null.</summary>
    public IEpollTarget? this[int descriptor] =>
        descriptor >> PieceBits < _pieces.Length ? _pieces[descriptor >> PieceBits]?[descriptor & (PieceSize - 1)] : null;

    /// <summary>Every target, in a list of its own: they may change while told.</summary>
    public List<IEpollTarget> All()
    {
        List<IEpollTarget> all = [];
        foreach (IEpollTarget?[]? piece in _pieces)
        {
            all.AddRange((piece ?? []).OfType<IEpollTarget>());
        }

        return all;
    }

    /// <summary>Sets the target of a descriptor.</summary>
    public void Set(int descriptor, IEpollTarget target)
    {
        int piece = descriptor >> PieceBits;
        if (piece >= _pieces.Length)
        {
            Array.Resize(ref _pieces, int.Max(piece + 1, _pieces.Length * 2));
        }

        (_pieces[piece] ??= new IEpollTarget?[PieceSize])[descriptor & (PieceSize - 1)] = target;
    }

    /// <summary>Takes the target of a descriptor out, if it has one.</summary>
    public void Clear(int descriptor)
    {
        if (this[descriptor] is not null)
        {
            _pieces[descriptor >> PieceBits]![descriptor & (PieceSize - 1)] = null;
        }
    }
}
