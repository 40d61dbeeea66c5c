using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Trunkline.Directory;

/// <summary>
/// The contents of a memory directory on disk: a file that begins with everything there was, to which each step that
/// changes something is appended before it counts. At each start, and when it has grown, a new file takes its place:
/// <code>
/// DIR/lock          held by the process that uses the folder
/// DIR/records-000n  the file in use: everything as of its beginning, then the steps
/// DIR/records.new   the next one while it is written; renamed when it is on the disk
/// </code>
/// Under the gate of <see cref="DirectoryMemory"/>. When a write fails (disk full) the step is not done for its caller;
/// every later one first tries to write a whole new file, so that it heals by itself.
/// </summary>
internal sealed class RecordJournal : IDisposable
{
    /// <summary>A file of up to so many bytes is never replaced for its size.</summary>
    internal const long SmallBytes = 16 * 1024 * 1024;

    private const int ChunkBytes = 1024 * 1024;
    private readonly string _folder;
    private readonly FileStream _lock;
    private readonly ILogger _logger;
    private readonly RecordEffects _effects = new();
    private RecordFile? _file;
    private long _number;
    private long _replaceAt = SmallBytes;

    private RecordJournal(string folder, FileStream hold, ILogger logger)
    {
        _folder = folder;
        _lock = hold;
        _logger = logger;
    }

    /// <summary>Where a step notes what it changes.</summary>
    internal RecordEffects Effects => _effects;

    /// <summary>The file in use, for tests.</summary>
    internal string Path => _file?.Path ?? "";

    /// <summary>Opens the folder and reads what stands there into <paramref name="contents"/>. The caller then calls <see cref="Replace"/>.</summary>
    internal static RecordJournal Open(string folder, MemoryContents contents, ILogger logger)
    {
        FileStream? hold = null;
        try
        {
            System.IO.Directory.CreateDirectory(folder);
            hold = new FileStream(System.IO.Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            var journal = new RecordJournal(folder, hold, logger);
            string? newest = Files(folder).LastOrDefault();
            if (newest is not null)
            {
                journal._number = NumberOf(newest);
                long cut = RecordFile.Read(newest, bytes => RecordEffects.TryApply(bytes, contents));
                if (cut > 0)
                {
                    DirectoryLog.TailCut(logger, newest, cut);
                }
            }

            DirectoryLog.RecordsRead(logger, contents.Records.Sessions.Count, folder);
            return journal;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            hold?.Dispose();
            throw exception as DirectoryDataException
                ?? new DirectoryDataException($"The folder {folder} (Directory:DataDirectory) cannot be used: {exception.Message} Is another process using it?", exception);
        }
    }

    /// <summary>Makes what the step noted count; null, or why it does not.</summary>
    internal string? Commit(MemoryContents contents)
    {
        if (_effects.IsEmpty)
        {
            return null;
        }

        try
        {
            if (_file is null || _file.Length + _effects.Length > _replaceAt)
            {
                // The new file begins with everything, this step included.
                _effects.Clear();
                Replace(contents);
                return null;
            }

            _file.Append(_effects.Bytes);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _file?.Dispose();
            _file = null;
            DirectoryLog.JournalFailed(_logger, _folder, exception.Message);
            return $"the directory's file in {_folder} cannot be written: {exception.Message}";
        }
        finally
        {
            _effects.Clear();
        }
    }

    /// <summary>Writes everything into a new file, which takes the place of the old one once it is on the disk.</summary>
    internal void Replace(MemoryContents contents)
    {
        string next = System.IO.Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"records-{_number + 1:d8}"));
        RecordFile file = RecordFile.Create(System.IO.Path.Combine(_folder, "records.new"));
        try
        {
            contents.WriteTo(_effects, () =>
            {
                if (_effects.Length > ChunkBytes)
                {
                    file.Append(_effects.Bytes);
                    _effects.Clear();
                }
            });
            file.Append(_effects.Bytes);
            file.Flush();
            file.MoveTo(next);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        finally
        {
            _effects.Clear();
        }

        _file?.Dispose();
        _file = file;
        _number++;
        _replaceAt = Math.Max(SmallBytes, 3 * file.Length);
        foreach (string old in Files(_folder).Where(name => NumberOf(name) < _number))
        {
            File.Delete(old);
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _lock.Dispose();
    }

    private static IEnumerable<string> Files(string folder) =>
        System.IO.Directory.EnumerateFiles(folder, "records-*").Where(name => NumberOf(name) > 0).OrderBy(NumberOf);

    private static long NumberOf(string path) => long.TryParse(
        System.IO.Path.GetFileName(path).AsSpan("records-".Length), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;
}
