namespace Trunkline.Transports;

/// <summary>Output that leaves by a permission which grows old; see <see cref="Transport.MarkPermitted"/>. Loop thread only.</summary>
public abstract partial class Loop
{
    /// <summary>How old a permission may be when the system call that sends by it is made, in ms.</summary>
    public int PermissionMs { get; set; } = 500;

    /// <summary>Told when output was dropped because its permission could not be relied on any more; may be null. Counts at most.</summary>
    public Action? OutputWithdrawn { get; set; }

    /// <summary>
    /// The time by the clock itself, in the milliseconds of <see cref="NowMs"/>, which is older when the process was held
    /// within the turn.
    /// </summary>
    public long ReadClockMs() => ReadClock();
}
