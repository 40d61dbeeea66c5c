namespace Trunkline.Broker;

/// <summary>Reads one block back and checks it, on a thread of the store; used again and again.</summary>
internal sealed class BlockLoad(BlockCache cache, StoreDisk disk) : StoreJob
{
    private LogBlock? _block;
    private byte[]? _buffer;
    private long _endOrdinal;

    /// <summary>What was damaged in it; the rest is whole.</summary>
    public IReadOnlyList<BlockDamage> Damages { get; private set; } = [];

    /// <summary>Whether earlier reads of it had failed.</summary>
    public bool WasFailing { get; set; }

    /// <summary>Whether its messages are passed over from now on.</summary>
    public bool GivesUp { get; set; }

    public void Begin(LogBlock block, byte[] buffer)
    {
        _block = block;
        _buffer = buffer;
        _endOrdinal = block.EndOrdinal;
        Damages = [];
        WasFailing = block.Trouble?.FailingSinceMs is not null;
        GivesUp = false;
    }

    protected override void Work()
    {
        LogBlock block = _block!;
        Span<byte> bytes = _buffer.AsSpan(0, block.Used);
        disk.Read(block.Segment!.Handle!, bytes, block.FileOffset);
        Damages = BlockSalvage.Run(bytes, block, _endOrdinal);
    }

    protected override void Run()
    {
        LogBlock block = _block!;
        byte[] buffer = _buffer!;
        _block = null;
        _buffer = null;
        cache.Finish(this, block, buffer);
    }
}
