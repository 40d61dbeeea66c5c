using System.Buffers;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// Keeps the encoded frames of one publish link in pooled blocks: first in, first out for the most part, so that a block
/// empties as a whole. Loop thread only; allocates nothing in steady state.
/// </summary>
/// <remarks>
/// <code>
///   block 1 (64 KiB)                 block 2, current
///   [frame][frame][frame] live 3     [frame][ free          ] live 1      a block with live 0 is used again
/// </code>
/// </remarks>
/// <param name="memory">Hears of each block that is made, and of each frame larger than one.</param>
internal sealed class FrameStore(MemoryGauge memory)
{
    private const int BlockBytes = 64 * 1024;
    private const int MaximumIdle = 16;
    private readonly Stack<FrameBlock> _idle = new();
    private FrameBlock? _current;

    /// <summary>Room for one frame.</summary>
    public FrameBlock Rent(int size, out int offset)
    {
        if (size > BlockBytes / 4)
        {
            offset = 0;
            if (size > BlockBytes)
            {
                memory.Take(size);
            }

            return new FrameBlock(ArrayPool<byte>.Shared.Rent(size)) { Used = size, Live = 1, IsLarge = true };
        }

        if (_current is null || _current.Used + size > BlockBytes)
        {
            _current = _idle.TryPop(out FrameBlock? idle) ? idle : NewBlock();
        }

        offset = _current.Used;
        _current.Used += size;
        _current.Live++;
        return _current;
    }

    /// <summary>Gives the room of one frame back.</summary>
    public void Return(FrameBlock block)
    {
        if (--block.Live > 0)
        {
            return;
        }

        block.Used = 0;
        if (block.IsLarge)
        {
            ArrayPool<byte>.Shared.Return(block.Bytes);
        }
        else if (!ReferenceEquals(block, _current) && _idle.Count < MaximumIdle)
        {
            _idle.Push(block);
        }
    }

    private FrameBlock NewBlock()
    {
        memory.Take(BlockBytes);
        return new FrameBlock(GC.AllocateUninitializedArray<byte>(BlockBytes));
    }
}

/// <summary>A block of frames.</summary>
internal sealed class FrameBlock(byte[] bytes)
{
    public byte[] Bytes { get; } = bytes;

    public int Used { get; set; }

    public int Live { get; set; }

    public bool IsLarge { get; init; }
}
