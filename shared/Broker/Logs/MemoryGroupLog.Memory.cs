using Trunkline.Transports;

namespace Trunkline.Broker;

/// <content>What the log does when the process's memory is scarce: it is what a process can do without first.</content>
public sealed partial class MemoryGroupLog
{
    private const int MaximumDropsForMemory = 64;
    private const int BlocksKept = 16;
    private const int GivenBackPerTick = 16;

    private bool IsMemoryScarce => _loop.Memory.Level != MemoryLevel.Ample || _loop.Memory.IsShort;

    private bool MayGiveBack => Bytes > BlocksKept * (long)_options.LogBlockBytes;

    /// <summary>
    /// When memory is low the log does not grow; when it is short it gives back faster than it takes, down to its last blocks.
    /// </summary>
    private void DropForMemory(int size)
    {
        long upTo = _loop.Memory.IsShort ? 0 : Bytes - size;
        for (int left = MaximumDropsForMemory; left > 0 && Bytes > upTo && MayGiveBack; left--)
        {
            DropOldest(isForRoom: false);
        }
    }

    /// <summary>
    /// Between appends it gives back a little at a time until memory is ample: at rest where memory is low, a log that only did
    /// not grow would keep new devices out for ever.
    /// </summary>
    private void GiveBack()
    {
        long upTo = Bytes - (Bytes / GivenBackPerTick);
        for (int left = MaximumDropsPerTick; left > 0 && Bytes > upTo && MayGiveBack; left--)
        {
            DropOldest(isForRoom: false);
        }
    }

    /// <summary>Where the runtime has nothing left, the oldest messages make room.</summary>
    private byte[] NewBuffer(int size)
    {
        _loop.Memory.Take(size);
        try
        {
            return GC.AllocateUninitializedArray<byte>(size);
        }
        catch (OutOfMemoryException) when (size == _options.LogBlockBytes)
        {
            while (_spare is null && Messages > 0)
            {
                DropOldest(isForRoom: false);
            }

            byte[]? spare = _spare;
            _spare = null;
            return spare ?? GC.AllocateUninitializedArray<byte>(size);
        }
    }
}
