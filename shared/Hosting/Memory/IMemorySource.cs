namespace Trunkline.Hosting.Memory;

/// <summary>Tells how much memory is used of how much. One caller at a time.</summary>
internal interface IMemorySource : IDisposable
{
    /// <summary>Bytes the process may have.</summary>
    long LimitBytes { get; }

    /// <summary>Bytes in use that the system could not take back by itself.</summary>
    /// <exception cref="IOException">It cannot be read now, for instance for want of a descriptor.</exception>
    long ReadUsedBytes();
}
