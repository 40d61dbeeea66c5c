using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Trunkline.Transports;

namespace Trunkline.Directory;

/// <summary>
/// The folder of a directory on disk, held by one process at a time, by a lock that the system takes back when it ends:
/// <code>
/// DIR/lock             held by the process that uses the folder
/// DIR/records-0000000n the file in use: everything as of its beginning, then the steps
/// DIR/records.new      the next one while it is written; renamed when it is on the disk
/// DIR/system-start     which start of the system the last process that used it belongs to
/// </code>
/// Of two numbered files the higher is the one in use: the process ended before it had removed the other.
/// </summary>
internal sealed partial class RecordFolder : IDisposable
{
    private const int ReadOnlyFolder = 0x10000; // O_RDONLY | O_DIRECTORY
    private const string FilePrefix = "records-";
    private readonly FileStream _lock;

    // Those that hold its name, and the names of those that were made with it.
    private readonly List<string> _parents;

    private RecordFolder(string path, FileStream hold, List<string> parents)
    {
        Path = path;
        _parents = parents;
        _lock = hold;
    }

    internal string Path { get; }

    /// <summary>Whether the system was started since the folder was used last: what that did not sync may be missing in pieces.</summary>
    internal bool IsAfterSystemStart =>
        SystemStart.ReadId() is { Length: > 0 } id && File.Exists(StartFile) && File.ReadAllText(StartFile) != id;

    private string StartFile => System.IO.Path.Combine(Path, "system-start");

    internal string FreshFile => System.IO.Path.Combine(Path, "records.new");

    /// <summary>Makes the folder where it is missing and takes it.</summary>
    /// <exception cref="DirectoryDataException">It cannot be used; a sentence says why and what to do.</exception>
    internal static RecordFolder Take(string folder)
    {
        string path = System.IO.Path.GetFullPath(folder);
        try
        {
            if (File.Exists(path))
            {
                throw new DirectoryDataException($"{path} is a file: set Directory:DataDirectory (--data) to a folder.");
            }

            List<string> parents = [System.IO.Path.GetDirectoryName(path) ?? path];
            while (!System.IO.Directory.Exists(parents[^1]) && System.IO.Path.GetDirectoryName(parents[^1]) is { } above)
            {
                parents.Add(above);
            }

            System.IO.Directory.CreateDirectory(path);
            return new RecordFolder(path, Lock(path), parents);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new DirectoryDataException(
                $"The folder {path} may not be used by {Environment.UserName}: give it to that user (chown), or set Directory:DataDirectory (--data) to another one.", exception);
        }
        catch (IOException exception) when (exception is not DirectoryDataException)
        {
            throw new DirectoryDataException($"The folder {path} cannot be made: {exception.Message} Set Directory:DataDirectory (--data) to a folder that can.", exception);
        }
    }

    /// <summary>The file with that number.</summary>
    internal string FileOf(long number) => System.IO.Path.Combine(Path, FilePrefix + number.ToString("d8", CultureInfo.InvariantCulture));

    /// <summary>The numbers of the files there are, ascending.</summary>
    internal IReadOnlyList<long> Numbers() =>
        [.. System.IO.Directory.EnumerateFiles(Path, FilePrefix + "*").Select(NumberOf).Where(number => number > 0).Order()];

    /// <summary>This start of the system uses it: on the disk when it returns, with the names of all files.</summary>
    internal void NoteSystemStart()
    {
        string id = SystemStart.ReadId();
        if (id.Length > 0 && (IsAfterSystemStart || !File.Exists(StartFile)))
        {
            string fresh = StartFile + ".new";
            using (FileStream file = File.Create(fresh))
            {
                file.Write(Encoding.ASCII.GetBytes(id));
                file.Flush(flushToDisk: true);
            }

            File.Move(fresh, StartFile, overwrite: true);
            Flush();
        }
    }

    /// <summary>Returns when names that were made or changed survive a power cut.</summary>
    internal void Flush() => Flush(Path);

    /// <summary>
    /// Returns when the folder's own name survives a power cut. Also where it was there before: who made it may have been
    /// killed before that.
    /// </summary>
    internal void FlushName() => _parents.ForEach(Flush);

    public void Dispose() => _lock.Dispose();

    private static void Flush(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        int descriptor = Check(OpenFile(folder, ReadOnlyFolder));
        try
        {
            Check(FlushAll(descriptor));
        }
        finally
        {
            _ = CloseFile(descriptor);
        }
    }

    // How an open fails that another process' lock forbids, the low 16 bits: EWOULDBLOCK of Linux and of BSD, ERROR_SHARING_VIOLATION.
    private static bool IsLocked(IOException exception) => (exception.HResult & 0xFFFF) is 11 or 35 or 32;

    private static FileStream Lock(string path)
    {
        string file = System.IO.Path.Combine(path, "lock");
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (IOException exception) when (IsLocked(exception))
        {
            throw new DirectoryDataException(
                $"The folder {path} is used by another process: end that one first, or set Directory:DataDirectory (--data) to a folder of its own.", exception);
        }
    }

    private static long NumberOf(string path) => long.TryParse(
        System.IO.Path.GetFileName(path).AsSpan(FilePrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;

    private static int Check(int result) => result >= 0 ? result : throw new IOException(new Win32Exception(Marshal.GetLastPInvokeError()).Message);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FlushAll(int descriptor);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseFile(int descriptor);
}
