using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// What one group keeps on disk: its log and its retained messages, in a folder of its own that nobody else can take
/// meanwhile. Opened before the group's loop starts; closed on the loop by <see cref="BrokerGroup.Stop"/>.
/// </summary>
public sealed class GroupStore
{
    private readonly GroupFolder _folder;
    private readonly StoreThread _helper;
    private readonly RetainedWriter _writer;

    private GroupStore(
        GroupFolder folder, FileLogSetup setup, FileGroupLog log, RetainedMessages retained, RetainedWriter writer)
    {
        Retained = retained;
        Counters = setup.Counters;
        _folder = folder;
        _helper = setup.Helper;
        _writer = writer;
        Log = log;
        log.SegmentSealed = writer.OnSegmentSealed;
    }

    /// <summary>What the name of a group with a folder must be like.</summary>
    public const string NameRule = "Use letters, digits, '-', '_' and '.', at most 100 and no '.' first.";

    internal FileGroupLog Log { get; }

    internal RetainedMessages Retained { get; }

    internal BrokerCounters Counters { get; }

    /// <summary>Whether its helping thread has nothing to do: a clock that is moved by hand is moved then.</summary>
    internal bool IsIdle => _helper.IsIdle;

    /// <summary>Whether a group of that name can have a folder.</summary>
    public static bool IsName(string group) => GroupFolder.IsName(group);

    /// <summary>Opens the store of a group whose options ask for files; null for one in memory.</summary>
    /// <inheritdoc cref="Open(string, BrokerOptions, Loop, ILogger?)"/>
    public static GroupStore? OpenIfAsked(string group, BrokerOptions options, Loop loop, ILogger? logger = null) =>
        options.UsesFiles() ? Open(group, options, loop, logger) : null;

    /// <summary>Opens the folder <c>DataDirectory/group</c>, reads and checks what stands there, and begins a new term.</summary>
    /// <param name="group">The group's name.</param>
    /// <param name="options">Where, and the limits.</param>
    /// <param name="loop">The group's loop; it does not run yet, or this is called on it.</param>
    /// <param name="logger">Where events are logged; null for nowhere.</param>
    /// <exception cref="StoreException">
    /// The folder is in use, damaged, of a newer version, or cannot be written; its message says what to do.
    /// </exception>
    public static GroupStore Open(string group, BrokerOptions options, Loop loop, ILogger? logger = null) =>
        Open(group, options, loop, logger ?? NullLogger.Instance, new StoreDisk());

    internal static GroupStore Open(string group, BrokerOptions options, Loop loop, ILogger logger, StoreDisk disk)
    {
        long begun = loop.Time.GetTimestamp();
        GroupFolder folder = GroupFolder.Take(options.DataDirectory, group, disk);
        try
        {
            var counters = new BrokerCounters();
            var retained = new RetainedMessages(options, counters);
            long clockOffsetMs = loop.Time.GetUtcNow().ToUnixTimeMilliseconds() - loop.NowMs;
            long safeBelow = ReadRetained(folder, options, retained, clockOffsetMs, logger);
            var recovery = new LogRecovery(folder, options, retained, safeBelow, logger);
            RecoveredLog recovered = recovery.Run(clockOffsetMs, loop.NowMs);
            counters.Add(BrokerCounter.LogBytesCut, recovery.BytesCut);
            var setup = new FileLogSetup(
                logger, counters, disk, new StoreThread($"{group}-log", loop), new StoreThread($"{group}-sync", loop), new StoreThread($"{group}-store", loop));
            var log = new FileGroupLog(loop, options, folder, recovered, setup);
            var writer = new RetainedWriter(folder, retained, log, setup, clockOffsetMs);
            try
            {
                log.BeginRun(recovery.HighestTerm);
                if (safeBelow > recovered.RetainedSafeBelow)
                {
                    writer.WriteAnew();
                }
            }
            catch (IOException exception)
            {
                throw new StoreException(
                    $"The log in {folder.Path} cannot be written: {exception.Message}. Make room or mend the disk, then start again.", exception);
            }

            StoreLog.Recovered(
                logger, group, log.Messages, recovered.Segments.Count, retained.Count, recovered.Producers.Count, folder.Path,
                (long)loop.Time.GetElapsedTime(begun).TotalMilliseconds);
            return new GroupStore(folder, setup, log, retained, writer);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Writes what is left and lets the folder go. On the loop; waits for the disk.</summary>
    internal void Close()
    {
        _helper.Dispose();
        Log.Close();
        _writer.WriteNow();
        _folder.Dispose();
    }

    private static long ReadRetained(
        GroupFolder folder, BrokerOptions options, RetainedMessages retained, long clockOffsetMs, ILogger logger)
    {
        string file = folder.RetainedFile;
        if (!File.Exists(file))
        {
            return 0;
        }

        try
        {
            return RetainedFile.Read(file, File.ReadAllBytes(file), folder.Group, retained, clockOffsetMs);
        }
        catch (StoreException exception) when (options.DamagedSegments == DamagedSegments.SetAside)
        {
            StoreLog.SetAside(logger, folder.Group, GroupFolder.SetAside(file), exception.Message);
            return 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"{file} cannot be read: {exception.Message} Mend the disk or the file's rights.", exception);
        }
    }
}
