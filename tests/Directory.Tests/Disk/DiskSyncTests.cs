using System.Globalization;
using Xunit.Abstractions;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests.Disk;

/// <summary>FAULTS 3 for the directory's file with <see cref="DirectoryCommit.Always"/>: what was answered survives a power cut.</summary>
public sealed class DiskSyncTests(ITestOutputHelper output) : IDisposable
{
    private const int PageBytes = 4096;
    private readonly DiskFolder _folder = new() { Commit = DirectoryCommit.Always, IsAfterSystemStart = true };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_step_is_answered_once_it_is_synced_and_one_sync_is_for_all_who_wait()
    {
        (MemoryDirectory directory, SessionToken token) = await BeginAsync();
        using var syncs = new HeldSyncs(directory);
        Task<DirectoryResult> first = WriteAsync(directory, token, 1);
        await syncs.BegunAsync(1);
        Task<DirectoryResult>[] others = [.. Enumerable.Range(2, 20).Select(n => WriteAsync(directory, token, n))];
        Assert.DoesNotContain(others.Prepend(first), write => write.IsCompleted);

        // What only asks is answered meanwhile.
        Assert.True((await directory.LookUpAsync("id")).IsOk);
        syncs.Release(1);
        Assert.True((await Eventually.InTimeAsync(first, "the first is answered")).IsOk);
        await syncs.BegunAsync(2);
        Assert.DoesNotContain(others, write => write.IsCompleted);
        syncs.Release(1);
        Assert.All(await Eventually.InTimeAsync(Task.WhenAll(others), "the others are answered"), result => Assert.True(result.IsOk, result.Detail));
        Assert.Equal(2, syncs.Begun);
        syncs.Release(1_000);
        await directory.DisposeAsync();
    }

    [Fact]
    public async Task A_step_that_changes_nothing_waits_for_those_it_saw()
    {
        (MemoryDirectory directory, SessionToken token) = await BeginAsync();
        using var syncs = new HeldSyncs(directory);
        Task<DirectoryResult> write = WriteAsync(directory, token, 1);
        Task<DirectoryResult> nothing = directory.WriteSessionAsync("id", token, SessionChange.None).AsTask();
        await syncs.BegunAsync(1);
        Assert.False(nothing.IsCompleted);
        syncs.Release(1_000);
        Assert.True((await Eventually.InTimeAsync(write, "it is answered")).IsOk);
        Assert.True((await Eventually.InTimeAsync(nothing, "it is answered")).IsOk);
        await directory.DisposeAsync();
    }

    [Fact]
    public async Task After_a_sync_that_failed_a_new_file_is_begun()
    {
        (MemoryDirectory directory, SessionToken token) = await BeginAsync();
        string before = _folder.Newest;
        RecordSync sync = ((MemoryStore)directory.Store).Memory.Journal!.Sync!;
        Action<RecordFile> flush = sync.FlushAll;
        sync.FlushAll = _ => throw new IOException("no luck");
        DirectoryResult refused = await WriteAsync(directory, token, 1);
        Assert.Equal(DirectoryStatus.Unavailable, refused.Status);
        Assert.Contains("cannot be written: no luck", refused.Detail, StringComparison.Ordinal);

        // The next sync of that file would say that all is well, though what it failed to write is gone.
        sync.FlushAll = flush;
        Assert.Equal(DirectoryStatus.Unavailable, (await WriteAsync(directory, token, 2)).Status);
        Assert.Equal(before, _folder.Newest);
        await Eventually.HoldsAsync(async () => (await WriteAsync(directory, token, 3)).IsOk, "the directory writes again");
        Assert.NotEqual(before, _folder.Newest);
        Assert.Equal("3", _folder.Read(_folder.Copy()).Records.Find("id")!.Fields["p"].Text());
        await directory.DisposeAsync();
    }

    [Fact]
    public async Task The_end_syncs_what_still_waits()
    {
        (MemoryDirectory directory, SessionToken token) = await BeginAsync();
        using var syncs = new HeldSyncs(directory);
        Task<DirectoryResult> write = WriteAsync(directory, token, 1);
        await syncs.BegunAsync(1);
        Task<DirectoryResult> later = WriteAsync(directory, token, 2);
        RecordJournal journal = ((MemoryStore)directory.Store).Memory.Journal!;
        Assert.False(journal.IsSynced);
        await directory.DisposeAsync();
        Assert.True(journal.IsSynced);
        syncs.Release(1_000);
        Assert.True((await Eventually.InTimeAsync(write, "it is answered")).IsOk);
        Assert.True((await Eventually.InTimeAsync(later, "it is answered")).IsOk);
    }

    [Fact]
    public async Task Whatever_a_power_cut_leaves_has_all_that_was_answered()
    {
        var random = new Random(DiskFolder.Seed(output));
        (MemoryDirectory directory, SessionToken token) = await BeginAsync();
        int must = 0;
        Assert.True((await WriteAsync(directory, token, must)).IsOk);
        using var syncs = new HeldSyncs(directory);
        int pieces = 0;
        for (int round = 1; round <= 60; round++)
        {
            // Some are answered; others are written and wait while the power goes.
            Task<DirectoryResult>[] writes = [.. Enumerable.Range(0, random.Next(1, 30)).Select(n => WriteAsync(directory, token, (1000 * round) + n, random.Next(3_000)))];
            if (random.Next(3) == 0)
            {
                syncs.Release(1);
                await Eventually.InTimeAsync(writes[0], "the first is answered");
            }

            await Eventually.HoldsAsync(() => syncs.Begun > syncs.Done || Array.TrueForAll(writes, write => write.IsCompleted), "the next sync begins");
            int answered = writes.Count(write => write.IsCompleted);
            must = answered > 0 ? (1000 * round) + answered - 1 : must;
            byte[] written = await File.ReadAllBytesAsync(Path.Combine(_folder.Copy(), Path.GetFileName(_folder.Newest)));
            for (int image = 0; image < 5; image++)
            {
                byte[] left = Cut(written, (int)syncs.SyncedBytes, random);
                pieces += left.Length == written.Length ? 1 : 0;
                int last = int.Parse(_folder.Read(_folder.With("records-00000001", left)).Records.Find("id")!.Fields.GetValueOrDefault("p").Text(), CultureInfo.InvariantCulture);
                Assert.True(last >= must, $"round {round}: {must} was answered, {last} is the last there");
            }

            syncs.Release(10);
            await Eventually.InTimeAsync(Task.WhenAll(writes), "all are answered");
            syncs.Hold();
            must = (1000 * round) + writes.Length - 1;
        }

        Assert.InRange(pieces, 30, 300);
        syncs.Release(1_000);
        await directory.DisposeAsync();
    }

    [Fact]
    public async Task Damage_in_what_was_synced_is_refused_though_steps_stand_behind_it()
    {
        (byte[] bytes, string name, long beginning) = await _folder.HistoryAsync(20);
        var random = new Random(DiskFolder.Seed(output));
        int refused = 0;
        for (int i = 0; i < 100; i++)
        {
            byte[] damaged = [.. bytes];
            damaged[random.Next((int)beginning, bytes.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                // Each step was answered before the next: only the last may go.
                MemoryContents contents = _folder.Read(_folder.With(name, damaged));
                Assert.Equal("18", contents.Records.Find("id")!.Fields["p"].Text());
            }
            catch (DirectoryDataException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 80, 100);
    }

    [Fact]
    public async Task A_folder_goes_from_one_way_to_the_other()
    {
        (byte[] bytes, string name, _) = await _folder.HistoryAsync(3);
        using var plain = new DiskFolder();
        string copy = plain.With(name, bytes);
        MemoryDirectory os = await plain.JoinAsync(copy);
        Assert.Contains("p=2", (await os.MustReadAsync("id")).Text(), StringComparison.Ordinal);
        await os.DisposeAsync();
        MemoryDirectory always = await _folder.JoinAsync(copy);
        Assert.Contains("p=2", (await always.MustReadAsync("id")).Text(), StringComparison.Ordinal);
        await always.DisposeAsync();
    }

    private async Task<(MemoryDirectory Directory, SessionToken Token)> BeginAsync()
    {
        MemoryDirectory directory = await _folder.JoinAsync();
        return (directory, (await directory.MustClaimAsync("id", new() { ExpirySeconds = DiskFolder.Hour })).Token);
    }

    private static Task<DirectoryResult> WriteAsync(MemoryDirectory directory, SessionToken token, int number, int bytes = 50) => directory.WriteSessionAsync(
        "id", token, Sets(("p", number.ToString(CultureInfo.InvariantCulture)), ("o:1", new string('x', bytes)))).AsTask();

    /// <summary>What was synced, and of the rest any pages; of those that are not there a later one makes zeros.</summary>
    private static byte[] Cut(byte[] written, int synced, Random random)
    {
        byte[] left = written[..random.Next(synced, written.Length + 1)];
        if (random.Next(2) == 0)
        {
            left = [.. written];
        }

        for (int page = synced / PageBytes; page * PageBytes < left.Length; page++)
        {
            int from = int.Max(page * PageBytes, synced);
            if (random.Next(2) == 0)
            {
                left.AsSpan(from, int.Min((page + 1) * PageBytes, left.Length) - from).Clear();
            }
        }

        return left;
    }

    /// <summary>Syncs that are done when they are let, and what they had put on the disk.</summary>
    private sealed class HeldSyncs : IDisposable
    {
        private readonly SemaphoreSlim _let = new(0);
        private readonly RecordJournal _journal;
        private readonly DirectoryMemory _memory;
        private int _begun;
        private int _done;

        public HeldSyncs(MemoryDirectory directory)
        {
            _memory = ((MemoryStore)directory.Store).Memory;
            _journal = _memory.Journal!;
            SyncedBytes = _journal.InUse.Synced;
            _journal.Sync!.FlushAll = Flush;
        }

        public int Begun => Volatile.Read(ref _begun);

        public int Done => Volatile.Read(ref _done);

        public long SyncedBytes { get; private set; }

        public void Release(int count) => _let.Release(count);

        /// <summary>What was let and not needed counts no more.</summary>
        public void Hold()
        {
            while (_let.Wait(0))
            {
            }
        }

        public Task BegunAsync(int count) => Eventually.HoldsAsync(() => Begun >= count, $"{count} syncs begin");

        public void Dispose() => _let.Dispose();

        private void Flush(RecordFile file)
        {
            long length;
            lock (_memory.Gate)
            {
                length = file.Length;
            }

            Interlocked.Increment(ref _begun);
            _let.Wait();
            _journal.FlushAll(file);
            SyncedBytes = length;
            Interlocked.Increment(ref _done);
        }
    }
}
