namespace Trunkline.Transports;

/// <summary>Carries a fault out of a <see cref="ManualLoop"/> to the test that runs it.</summary>
public sealed class LoopFaultException : Exception
{
    /// <summary>Wraps what <paramref name="source"/> raised.</summary>
    public LoopFaultException(object source, Exception inner)
        : base($"{source} failed on its loop: {inner.Message}", inner)
    {
    }
}
