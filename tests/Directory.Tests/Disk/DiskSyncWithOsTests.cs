using System.Globalization;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests.Disk;

/// <summary>
/// The directory's file with <see cref="DirectoryCommit.Os"/>: nobody waits for syncs, but a power cut takes no more than what
/// came since the newest one, and leaves a file that is read.
/// </summary>
public sealed class DiskSyncWithOsTests
{
    private const int SoonMs = 20;

    [Fact]
    public async Task A_sync_comes_an_interval_after_a_step_and_none_while_nothing_changes()
    {
        using var folder = new DiskFolder { SyncIntervalMs = SoonMs };
        (MemoryDirectory directory, SessionToken token) = await BeginAsync(folder);
        int syncs = 0;
        Action<RecordFile> flush = Journal(directory).Sync!.FlushAll;
        Journal(directory).Sync!.FlushAll = file =>
        {
            flush(file);
            Interlocked.Increment(ref syncs);
        };
        for (int round = 1; round <= 3; round++)
        {
            Assert.True((await WriteAsync(directory, token, round)).IsOk);
            await Eventually.HoldsAsync(() => Journal(directory).IsSynced, "it is synced");
        }

        int before = Volatile.Read(ref syncs);
        Assert.InRange(before, 3, 4);
        await Eventually.LastsAsync(TimeSpan.FromMilliseconds(10 * SoonMs));
        Assert.Equal(before, Volatile.Read(ref syncs));
        await directory.DisposeAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3_600_000)]
    public async Task Without_an_interval_or_before_it_ends_it_is_left_to_the_system_and_the_end_syncs(int intervalMs)
    {
        using var folder = new DiskFolder { SyncIntervalMs = intervalMs };
        (MemoryDirectory directory, SessionToken token) = await BeginAsync(folder);
        Assert.True((await WriteAsync(directory, token, 1)).IsOk);
        RecordJournal journal = Journal(directory);
        Assert.False(journal.IsSynced);
        await directory.DisposeAsync();
        Assert.True(journal.IsSynced);
    }

    [Fact]
    public async Task A_sync_that_fails_refuses_nothing_and_is_never_believed_later()
    {
        using var folder = new DiskFolder { SyncIntervalMs = SoonMs };
        (MemoryDirectory directory, SessionToken token) = await BeginAsync(folder);
        RecordJournal journal = Journal(directory);
        await Eventually.HoldsAsync(() => journal.IsSynced, "the claim is synced");
        long before = journal.InUse.Synced;
        Action<RecordFile> flush = journal.Sync!.FlushAll;
        journal.Sync.FlushAll = _ => throw new IOException("no luck");
        Assert.True((await WriteAsync(directory, token, 1)).IsOk);
        await Eventually.HoldsAsync(() => journal.InUse.HasFailedSync, "it failed");
        bool isSynced = false;
        journal.Sync.FlushAll = file =>
        {
            flush(file);
            Volatile.Write(ref isSynced, true);
        };
        Assert.True((await WriteAsync(directory, token, 2)).IsOk);
        await Eventually.HoldsAsync(() => Volatile.Read(ref isSynced), "the next one succeeds");
        Assert.True((await WriteAsync(directory, token, 3)).IsOk);
        Assert.Equal(before, journal.InUse.Synced);
        await directory.DisposeAsync();
    }

    [Theory]
    [InlineData(false, 1, null)]
    [InlineData(true, 1, null)]
    [InlineData(false, 3, null)]
    [InlineData(true, 3, "2")]
    public async Task What_was_not_synced_is_cut_after_a_start_of_the_system_alone(bool isAfterSystemStart, int damaged, string? left)
    {
        using var folder = new DiskFolder { SyncIntervalMs = SoonMs, IsAfterSystemStart = isAfterSystemStart };
        (MemoryDirectory directory, SessionToken token) = await BeginAsync(folder);
        using var goesOn = new ManualResetEventSlim();
        long[] ends = new long[6];
        for (int n = 1; n <= 5; n++)
        {
            Assert.True((await WriteAsync(directory, token, n)).IsOk);
            ends[n] = folder.NewestBytes;
            if (n == 2)
            {
                await Eventually.HoldsAsync(() => Journal(directory).IsSynced, "it is synced");
                Journal(directory).Sync!.FlushAll = _ => goesOn.Wait();
            }
        }

        byte[] bytes = await File.ReadAllBytesAsync(Path.Combine(folder.Copy(), Path.GetFileName(folder.Newest)));
        bytes[ends[damaged] - 1] ^= 1;
        string copy = folder.With("records-00000001", bytes);
        if (left is null)
        {
            Assert.Throws<DirectoryDataException>(() => folder.Read(copy));
        }
        else
        {
            Assert.Equal(left, folder.Read(copy).Records.Find("id")!.Fields["p"].Text());

            // Who goes on with it notes that it has.
            await (await folder.JoinAsync(copy)).DisposeAsync();
            Assert.NotEqual("before the power cut", await File.ReadAllTextAsync(Path.Combine(copy, "system-start")));
        }

        goesOn.Set();
        await directory.DisposeAsync();
    }

    private static RecordJournal Journal(MemoryDirectory directory) => ((MemoryStore)directory.Store).Memory.Journal!;

    private static async Task<(MemoryDirectory Directory, SessionToken Token)> BeginAsync(DiskFolder folder)
    {
        MemoryDirectory directory = await folder.JoinAsync();
        return (directory, (await directory.MustClaimAsync("id", new() { ExpirySeconds = DiskFolder.Hour })).Token);
    }

    private static Task<DirectoryResult> WriteAsync(MemoryDirectory directory, SessionToken token, int number) => directory.WriteSessionAsync(
        "id", token, Sets(("p", number.ToString(CultureInfo.InvariantCulture)))).AsTask();
}
