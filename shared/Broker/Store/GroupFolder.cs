using System.Globalization;
using System.Text;

namespace Trunkline.Broker;

/// <summary>
/// The folder of one group: held by one broker at a time, by a lock that the system takes back when its process ends.
/// </summary>
/// <remarks>
/// <code>
///   DataDirectory/GROUP/lock
///                       00000000000000000001.log     segments, named by their first message
///                       00000000000000052311.log
///                       retained                     the retained messages as of some position
///                       system-start                 which start of the system the last run belongs to
///                       *.new                        what was being made when the broker ended
///                       *.damaged                    what was set aside
/// </code>
/// </remarks>
internal sealed class GroupFolder : IDisposable
{
    public const string FreshEnding = ".new";
    private const string SegmentEnding = ".log";
    private const string DamagedEnding = ".damaged";
    private const int MaximumNameLength = 100;
    private readonly FileStream _lock;

    private GroupFolder(string path, string group, FileStream hold, StoreDisk disk)
    {
        Path = path;
        Group = group;
        _lock = hold;
        string file = StartFile;
        IsAfterSystemStart = disk.SystemStartId.Length > 0 && File.Exists(file) && File.ReadAllText(file) != disk.SystemStartId;
    }

    public string Path { get; }

    public string Group { get; }

    /// <summary>
    /// Whether the system was started since the run before, so that what that did not sync may be missing in pieces. After a
    /// mere end of the process it is all there.
    /// </summary>
    public bool IsAfterSystemStart { get; }

    private string StartFile => System.IO.Path.Combine(Path, "system-start");

    public string RetainedFile => System.IO.Path.Combine(Path, "retained");

    /// <summary>Whether a group of that name can have a folder.</summary>
    public static bool IsName(string group) =>
        group.Length is > 0 and <= MaximumNameLength && group[0] != '.'
        && group.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');

    /// <summary>Makes the folder where it is missing and takes it.</summary>
    /// <exception cref="StoreException">Another process has it, or it cannot be made.</exception>
    public static GroupFolder Take(string dataDirectory, string group, StoreDisk disk)
    {
        if (!IsName(group))
        {
            throw new StoreException($"Group '{group}' cannot have a folder of its name. {GroupStore.NameRule}");
        }

        string path = System.IO.Path.GetFullPath(System.IO.Path.Combine(dataDirectory, group));
        try
        {
            Make(path, disk);
            var hold = new FileStream(
                System.IO.Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            foreach (string left in Directory.GetFiles(path, "*" + FreshEnding))
            {
                File.Delete(left);
            }

            return new GroupFolder(path, group, hold, disk);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(
                $"The folder {path} cannot be taken: {exception.Message} Another broker that uses it must end first; otherwise mend its rights, or set Broker:DataDirectory to another one.",
                exception);
        }
    }

    /// <summary>A run of this start of the system begins: on the disk when it returns.</summary>
    public void NoteSystemStart(StoreDisk disk)
    {
        if (disk.SystemStartId.Length > 0 && (IsAfterSystemStart || !File.Exists(StartFile)))
        {
            disk.Create(StartFile, Encoding.ASCII.GetBytes(disk.SystemStartId), isDurable: true).Dispose();
        }
    }

    /// <summary>
    /// Its name survives a power cut when this returns, as the names in it would be lost with it. Also where it was there
    /// before: who made it may have been killed before that.
    /// </summary>
    private static void Make(string path, StoreDisk disk)
    {
        string parent = System.IO.Path.GetDirectoryName(path) ?? path;
        if (!Directory.Exists(parent))
        {
            Make(parent, disk);
        }

        Directory.CreateDirectory(path);
        disk.FlushFolder(parent);
    }

    /// <summary>The name of the segment that begins with a message.</summary>
    public string SegmentFile(long firstOrdinal) =>
        System.IO.Path.Combine(Path, firstOrdinal.ToString("d20", CultureInfo.InvariantCulture) + SegmentEnding);

    /// <summary>The segments there are, oldest first.</summary>
    public IReadOnlyList<string> Segments() =>
        [.. Directory.GetFiles(Path, "*" + SegmentEnding).Order(StringComparer.Ordinal)];

    /// <summary>Puts a damaged file out of the way under a name that is free; returns the name.</summary>
    public static string SetAside(string file)
    {
        string aside = file + DamagedEnding;
        for (int n = 2; File.Exists(aside); n++)
        {
            aside = string.Create(CultureInfo.InvariantCulture, $"{file}{DamagedEnding}{n}");
        }

        File.Move(file, aside);
        return aside;
    }

    public void Dispose() => _lock.Dispose();
}
