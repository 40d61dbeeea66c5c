using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;

namespace Trunkline.Broker.Tests.Store;

/// <summary>Knows what was synced, and by which start of the system it was used.</summary>
internal sealed class WatchedDisk : StoreDisk
{
    public ConcurrentQueue<string> Flushed { get; } = [];

    public ConcurrentQueue<string> FlushedFolders { get; } = [];

    public string Start { get; init; } = "first";

    /// <summary>Syncs of files wait while it is not set.</summary>
    public ManualResetEventSlim MaySync { get; } = new(true);

    public override string SystemStartId => Start;

    public override void Flush(SafeFileHandle handle)
    {
        MaySync.Wait();
        Flushed.Enqueue(File.ResolveLinkTarget($"/proc/self/fd/{handle.DangerousGetHandle()}", returnFinalTarget: false)!.FullName);
        base.Flush(handle);
    }

    public override void FlushFolder(string folder)
    {
        FlushedFolders.Enqueue(folder);
        base.FlushFolder(folder);
    }
}
