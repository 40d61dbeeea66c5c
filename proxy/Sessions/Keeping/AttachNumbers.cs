namespace Trunkline.Proxy;

/// <summary>
/// Numbers every attachment of a node in one rising order, so that a checkpoint can say which it covers. Any thread.
/// </summary>
internal sealed class AttachNumbers
{
    private long _last;

    /// <summary>The number given last.</summary>
    public long Last => Interlocked.Read(ref _last);

    /// <summary>The next number. Who takes it lists the attempt before its loop's turn ends (<see cref="ConnectionGate.LowestPending"/>).</summary>
    public long Next() => Interlocked.Increment(ref _last);
}
