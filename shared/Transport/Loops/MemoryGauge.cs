namespace Trunkline.Transports;

/// <summary>
/// What a watch of the process's memory found last, and what may be taken until its next look: written by the watch, read by
/// every loop. Any thread.
/// </summary>
public sealed class MemoryGauge
{
    private volatile MemoryLevel _level;
    private long _budget = long.MaxValue;

    /// <summary>How much is left.</summary>
    public MemoryLevel Level
    {
        get => _level;
        set => _level = value;
    }

    /// <summary>Whether what can be let go of has to be let go of now.</summary>
    public bool IsShort => _level == MemoryLevel.Short || Volatile.Read(ref _budget) < 0;

    /// <summary>Sets what may be taken in large pieces until the next look, in bytes: memory can go faster than a watch looks.</summary>
    public void Allow(long bytes) => Volatile.Write(ref _budget, bytes);

    /// <summary>Whether this many bytes may be taken by somebody who can do without. Two loops that ask at once may both hear yes.</summary>
    public bool Allows(long bytes) => _level != MemoryLevel.Short && Volatile.Read(ref _budget) >= bytes;

    /// <summary>A large piece is taken, in bytes, by somebody who asked or by somebody who cannot do without.</summary>
    public void Take(long bytes)
    {
        if (Volatile.Read(ref _budget) != long.MaxValue)
        {
            Interlocked.Add(ref _budget, -bytes);
        }
    }
}

/// <summary>How much memory a process has left.</summary>
public enum MemoryLevel : byte
{
    /// <summary>Enough.</summary>
    Ample,

    /// <summary>The reserve is reached: nobody new comes in.</summary>
    Low,

    /// <summary>Nearly nothing: what can be let go of is let go of.</summary>
    Short,
}
