namespace Trunkline.Broker.Tests.Support;

/// <summary>A folder of a test's own, gone afterwards.</summary>
internal sealed class TempFolder : IDisposable
{
    private const string Memory = "/dev/shm";

    public TempFolder() => Path = Directory.CreateTempSubdirectory("trunkline-broker-").FullName;

    private TempFolder(string path) => Path = path;

    public string Path { get; }

    /// <summary>On a file system in memory where there is one: for many small folders whose syncs are not what is tested.</summary>
    public static TempFolder InMemory() => Directory.Exists(Memory)
        ? new TempFolder(Directory.CreateDirectory(System.IO.Path.Combine(Memory, $"trunkline-broker-{Guid.NewGuid():n}")).FullName)
        : new TempFolder();

    /// <summary>
    /// The files as they stand now, as a process that is killed leaves them. Newest segments first and the retained messages
    /// last, so that what retention does meanwhile leaves a state that a kill could have left, too.
    /// </summary>
    public static TempFolder CopyOf(string folder)
    {
        TempFolder copy = folder.StartsWith(Memory, StringComparison.Ordinal) ? InMemory() : new TempFolder();
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
            .Where(file => System.IO.Path.GetFileName(file) != "lock")
            .OrderBy(file => System.IO.Path.GetFileName(file) == "retained").ThenByDescending(file => file, StringComparer.Ordinal))
        {
            string target = System.IO.Path.Combine(copy.Path, System.IO.Path.GetRelativePath(folder, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            try
            {
                File.Copy(file, target);
            }
            catch (FileNotFoundException)
            {
                // Retention has just deleted it, oldest first.
            }
        }

        return copy;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
