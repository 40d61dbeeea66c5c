using Microsoft.Extensions.Logging;

namespace Trunkline.Directory;

/// <summary>
/// The contents of a memory directory on disk: a file that begins with everything there was, to which each step that
/// changes something is appended before it counts. At each start, and when it has grown, a new file takes its place
/// (<see cref="RecordFolder"/>). Under the gate of <see cref="DirectoryMemory"/>.
/// </summary>
/// <remarks>
/// A step that cannot be written (disk full) is not done for its caller, and stays here until it is written: memory has
/// it already, so no later one may be answered before. Until then steps are refused without being run; the first one
/// that comes after a pause tries again. So there is never more than one step that memory has and the disk has not.
/// <code>
/// step ──► IsWaiting? ──no──► run, noted in Effects ──► Commit ──ok──► answered
///             └──yes──► WriteWaiting ──ok──┘              └──failed──► refused, waits here
///                            └──failed──► refused
/// </code>
/// With <see cref="DirectoryCommit.Always"/> a step is answered once it is on the disk itself (<see cref="RecordSync"/>). After
/// a sync that failed nobody knows what the disk has: a new file with everything takes the place of that one. With
/// <see cref="DirectoryCommit.Os"/> syncs come now and then, and nobody waits for them.
/// </remarks>
internal sealed class RecordJournal : IDisposable
{
    /// <summary>A file of up to so many bytes is never replaced for its size.</summary>
    internal const long SmallBytes = 16 * 1024 * 1024;

    /// <summary>Between two tries to write what could not be written, ms.</summary>
    internal const int RetryPauseMs = 250;

    private const int ChunkBytes = 1024 * 1024;
    private readonly RecordFolder _folder;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private RecordFile? _file;
    private long _number;
    private long _replaceAt = SmallBytes;
    private long _failedAt;
    private string? _fault;
    private bool _isDoubtful;
    private bool _isNamed;

    private RecordJournal(RecordFolder folder, TimeProvider time, ILogger logger)
    {
        _folder = folder;
        _time = time;
        _logger = logger;
    }

    /// <summary>Where a step notes what it changes.</summary>
    internal RecordEffects Effects { get; } = new();

    /// <summary>Puts steps on the disk itself; null before <see cref="Begin"/>.</summary>
    internal RecordSync? Sync { get; set; }

    /// <summary>The file in use.</summary>
    internal RecordFile InUse => _file!;

    /// <summary>Why nobody knows what the disk has, after a sync that failed; else null.</summary>
    internal string? Doubt => _isDoubtful ? _fault : null;

    /// <summary>Whether the disk itself is known to have all of it, under its name.</summary>
    internal bool IsSynced => _isNamed && _file!.Synced == _file.Length;

    /// <summary>Whether memory has a step that the disk has not.</summary>
    internal bool IsWaiting => _fault is not null;

    /// <summary>Opens the folder and reads what stands there into <paramref name="contents"/>. The caller then calls <see cref="Begin"/>.</summary>
    /// <exception cref="DirectoryDataException">The folder cannot be used, or what it holds is damaged.</exception>
    internal static RecordJournal Open(string folder, MemoryContents contents, TimeProvider time, ILogger logger)
    {
        RecordFolder taken = RecordFolder.Take(folder);
        try
        {
            var journal = new RecordJournal(taken, time, logger);
            if (taken.Numbers() is [.., long newest])
            {
                journal._number = newest;
                long cut = RecordFile.Read(taken.FileOf(newest), taken.IsAfterSystemStart, bytes => RecordEffects.TryApply(bytes, contents));
                if (cut > 0)
                {
                    DirectoryLog.TailCut(logger, taken.FileOf(newest), cut);
                }
            }

            DirectoryLog.RecordsRead(logger, contents.Records.SessionCount, taken.Path);
            return journal;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            taken.Dispose();
            throw exception as DirectoryDataException ?? new DirectoryDataException(
                $"The folder {taken.Path} cannot be read: {exception.Message} Mend its rights, or set Directory:DataDirectory (--data) to another one.", exception);
        }
    }

    /// <summary>Begins a file with everything; from then on steps are noted and committed.</summary>
    /// <exception cref="DirectoryDataException">The folder cannot be written.</exception>
    internal void Begin(MemoryContents contents)
    {
        try
        {
            Replace(contents);
            _folder.NoteSystemStart();
            _folder.FlushName();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DirectoryDataException(
                $"The folder {_folder.Path} cannot be written: {exception.Message} Make room or mend its rights, or set Directory:DataDirectory (--data) to another one.", exception);
        }
    }

    /// <summary>Before a step is run: writes what waits; null when nothing does any more, else why not.</summary>
    internal string? WriteWaiting(MemoryContents contents) =>
        _fault is null ? null
        : _time.GetElapsedTime(_failedAt).TotalMilliseconds < RetryPauseMs ? _fault
        : Commit(contents);

    /// <summary>Makes what the step noted count; null, or why it does not.</summary>
    internal string? Commit(MemoryContents contents)
    {
        if (Effects.IsEmpty && !_isDoubtful)
        {
            return null;
        }

        try
        {
            if (Effects.Length <= RecordFile.MaximumStepBytes && !_isDoubtful)
            {
                _file!.AppendStep(Effects.Bytes);
            }
            else
            {
                // Too much for one record (a node with a million sessions died), or no record can be trusted: a file that begins with it.
                Replace(contents);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Failed(exception.Message);
        }

        Effects.Clear();
        if (_fault is not null)
        {
            _fault = null;
            DirectoryLog.JournalHealed(_logger, _folder.Path);
        }

        ReplaceWhenGrown(contents);
        return null;
    }

    /// <summary>Closes the folder; what waits is tried once more.</summary>
    internal void Close(MemoryContents contents)
    {
        if (IsWaiting)
        {
            Commit(contents);
        }

        if (!IsSynced && _file is { } file)
        {
            SyncLast(file);
        }

        Sync?.End();
        Dispose();
    }

    public void Dispose()
    {
        _file?.Dispose();
        _folder.Dispose();
        Effects.Dispose();
    }

    /// <summary>Puts what was written on the disk itself, with its name. Any thread.</summary>
    /// <exception cref="IOException">See <see cref="RecordFile.Flush"/>.</exception>
    /// <exception cref="ObjectDisposedException">Another file, which is on the disk, is in use by now.</exception>
    internal void FlushAll(RecordFile file)
    {
        file.Flush();
        if (!_isNamed)
        {
            _folder.Flush();
        }
    }

    /// <summary>After <see cref="FlushAll"/> of the file in use: the disk has it up to there.</summary>
    internal void Synced(long length)
    {
        if (!_file!.HasFailedSync)
        {
            _file.Synced = long.Max(_file.Synced, length);
        }

        _isNamed = true;
    }

    /// <summary>The same where nobody waits for it: told once a file, which promises nothing more of what it gains.</summary>
    internal void SyncDoubted(string reason)
    {
        if (!_file!.HasFailedSync)
        {
            _file.HasFailedSync = true;
            DirectoryLog.CannotSync(_logger, _folder.Path, reason);
        }
    }

    /// <summary>After <see cref="FlushAll"/> of the file in use failed: the sentence for those who waited.</summary>
    internal string SyncFailed(string reason)
    {
        _isDoubtful = true;
        return Failed(reason);
    }

    private void SyncLast(RecordFile file)
    {
        try
        {
            FlushAll(file);
            Synced(file.Length);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            SyncFailed(exception.Message);
        }
    }

    private string Failed(string reason)
    {
        _failedAt = _time.GetTimestamp();
        if (_fault is null)
        {
            DirectoryLog.JournalFailed(_logger, _folder.Path, reason);
        }

        return _fault = $"the directory's file in {_folder.Path} cannot be written: {reason}";
    }

    // The step stands already; that there is no room for a second file is no reason to refuse anything.
    private void ReplaceWhenGrown(MemoryContents contents)
    {
        if (_file!.Length <= _replaceAt)
        {
            return;
        }

        try
        {
            Replace(contents);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _replaceAt = _file.Length + SmallBytes;
            DirectoryLog.ReplaceFailed(_logger, _folder.Path, exception.Message);
        }
    }

    /// <summary>Writes everything into a new file, which takes the place of the old one once it is on the disk.</summary>
    private void Replace(MemoryContents contents)
    {
        RecordFile file = RecordFile.Create(_folder.FreshFile);
        try
        {
            using (var all = new RecordEffects())
            {
                contents.WriteTo(all, () =>
                {
                    if (all.Length >= ChunkBytes)
                    {
                        file.AppendBeginning(all.Bytes, isLast: false);
                        all.Clear();
                    }
                });
                file.AppendBeginning(all.Bytes, isLast: true);
            }

            file.Flush();
            file.Synced = file.Length;
            File.Move(_folder.FreshFile, _folder.FileOf(_number + 1));
        }
        catch
        {
            file.Dispose();
            DeleteQuietly(_folder.FreshFile);
            throw;
        }

        // The new name stands: from here on it is the file in use, whatever fails.
        _file?.Dispose();
        _file = file;
        _number++;
        _replaceAt = Math.Max(SmallBytes, 3 * file.Length);
        _isDoubtful = false;
        _isNamed = false;
        _folder.Flush();
        _isNamed = true;
        foreach (long old in _folder.Numbers().Where(number => number < _number))
        {
            DeleteQuietly(_folder.FileOf(old));
        }
    }

    // What cannot be deleted now is deleted when the next file takes this one's place, and never read.
    private static void DeleteQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return;
        }
    }
}
