using Trunkline.Sessions;
using Trunkline.Topics;
using Xunit.Abstractions;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests.Disk;

/// <summary>The directory of one process in a folder: what was answered is there after the process's death.</summary>
public sealed class DiskTests(ITestOutputHelper output) : IDisposable
{
    private const uint Hour = DiskFolder.Hour;
    private readonly DiskFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Sessions_wills_and_slots_come_back_after_a_death()
    {
        MemoryDirectory first = await _folder.JoinAsync();
        Assert.Equal(DirectoryState.Connected, first.Health.State);
        await first.MustClaimAsync("covered", Sets(("f:a", "1"), ("p", "0"), ("w", "bye")) with { ExpirySeconds = Hour, WillDelaySeconds = 0 }, 1);
        SessionToken later = (await first.MustClaimAsync("later", new() { ExpirySeconds = SessionChange.NeverExpires }, 7)).Token;
        await first.MustClaimAsync("clean", SessionChange.None, 1);
        SessionToken ended = (await first.MustClaimAsync("ended", Sets(("p", "9")) with { ExpirySeconds = Hour }, 1)).Token;
        await first.WriteSessionAsync("later", later, Sets(("q:1", "x"), ("o:1", "y")) with { Deletes = ["q:2"] }).MustAsync();
        await first.WriteSessionAsync("later", later, new() { Deletes = ["q:1"] }).MustAsync();
        await first.DetachSessionAsync("ended", ended, SessionChange.None).MustAsync();
        await first.WriteCheckpointAsync(new(3, [new(5, 6)], [])).MustAsync();
        Assert.True((await first.PublishSlotMapAsync(SlotMap.Even(2, 4), 0)).IsOk);

        string copy = _folder.Copy();
        MemoryDirectory second = await _folder.JoinAsync(copy);
        Assert.Equal("bye", Assert.Single(await second.DueAsync("covered")).Will.Text());
        Claim covered = await second.MustClaimAsync("covered", new() { DropsWill = true }, 1);
        Assert.Equal(("f:a=1,p=0", first.Self.Id), (covered.Record.Text(), covered.Record!.LastNode));
        Assert.Equal([new LogPosition(5, 6)], covered.Record.Checkpoint!);
        Claim laterOn = await second.MustClaimAsync("later", null, 1);
        Assert.Equal("o:1=y", laterOn.Record.Text());
        Assert.Null(laterOn.Record!.Checkpoint);
        Assert.True(laterOn.Token.Epoch > later.Epoch);
        Assert.Equal("p=9", (await second.MustClaimAsync("ended", null, 1)).Record.Text());
        Assert.False((await second.MustClaimAsync("clean", null, 1)).SessionExists);
        Assert.Equal(4UL, second.SlotMap!.Version);
        Assert.Equal(DirectoryStatus.Stale, (await second.WriteSessionAsync("later", later, Sets(("p", "late")))).Status);

        // The dead node's checkpoint is in its sessions now, and nothing of it stays behind.
        Assert.Null((await second.ReadCheckpointAsync(first.Self.Id)).Value);

        // The tier's shape is kept with what depends on it.
        await second.DisposeAsync();
        MemoryDirectory other = _folder.Make(copy);
        Assert.Equal(DirectoryStatus.Refused, (await other.JoinAsync(new(0, ["g0"]), new RecordingEvents())).Status);
        await other.DisposeAsync();
        await first.DisposeAsync();
    }

    [Fact]
    public async Task A_folder_has_one_process_and_every_refusal_names_path_and_fix()
    {
        MemoryDirectory first = await _folder.JoinAsync();
        Assert.Equal(
            $"The folder {_folder.Path} is used by another process: end that one first, or set Directory:DataDirectory (--data) to a folder of its own.",
            Assert.Throws<DirectoryDataException>(() => _folder.Make()).Message);
        await first.DisposeAsync();
        await (await _folder.JoinAsync()).DisposeAsync();
        string file = _folder.Newest;
        Assert.Equal($"{file} is a file: set Directory:DataDirectory (--data) to a folder.", Assert.Throws<DirectoryDataException>(() => _folder.Make(file)).Message);
        Assert.Contains("/proc/no/such cannot be made", Assert.Throws<DirectoryDataException>(() => _folder.Make("/proc/no/such")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_file_is_replaced_when_it_has_grown_and_what_ended_leaves_nothing()
    {
        MemoryDirectory first = await _folder.JoinAsync();
        SessionToken token = (await first.MustClaimAsync("id", new() { ExpirySeconds = Hour })).Token;
        string big = new('x', 1024 * 1024);
        string before = _folder.Newest;
        for (int i = 0; i < 40; i++)
        {
            await first.WriteSessionAsync("id", token, Sets(("p", big + i))).MustAsync();
        }

        Assert.NotEqual(before, _folder.Newest);
        Assert.InRange(_folder.NewestBytes, 1, RecordJournal.SmallBytes + (2 * 1024 * 1024));
        Assert.Single(System.IO.Directory.EnumerateFiles(_folder.Path, "records*"));
        await first.DisposeAsync();
        MemoryDirectory second = await _folder.JoinAsync();
        Assert.Equal("p=" + big + "39", (await second.MustReadAsync("id")).Text());
        Claim last = await second.MustClaimAsync("id", new() { ClearsAll = true });
        await second.ReleaseAsync("id", last.Token).MustAsync();
        await second.DisposeAsync();
        await (await _folder.JoinAsync()).DisposeAsync();
        Assert.InRange(_folder.NewestBytes, 1, 4_096);
    }

    [Fact]
    public async Task A_step_too_large_for_a_record_begins_a_file()
    {
        MemoryDirectory first = await _folder.JoinAsync();
        SessionToken token = (await first.MustClaimAsync("id", new() { ExpirySeconds = Hour })).Token;
        string before = _folder.Newest;
        byte[] half = new byte[(RecordFile.MaximumRecordBytes / 2) + 1];
        half[^1] = 7;
        await first.WriteSessionAsync("id", token, new() { Sets = [new("o:1", half), new("o:2", half)] }).MustAsync();
        Assert.NotEqual(before, _folder.Newest);
        await first.DisposeAsync();
        MemoryDirectory second = await _folder.JoinAsync();
        Assert.All((await second.MustReadAsync("id")).Fields, field => Assert.Equal((half.Length, 7), (field.Value.Length, field.Value.Span[^1])));
        await second.DisposeAsync();
    }

    [Fact]
    public async Task Killed_while_a_file_takes_the_place_of_another_nothing_is_lost()
    {
        (byte[] bytes, string name, _) = await _folder.HistoryAsync(20);
        string whole = DiskFolder.Dump(_folder.Read(_folder.With(name, bytes)));
        var random = new Random(DiskFolder.Seed(output));
        byte[] next = await File.ReadAllBytesAsync(await ReplacedAsync(_folder.With(name, bytes)));
        for (int i = 0; i < 50; i++)
        {
            // While the next was written, whatever of it there is.
            string written = _folder.With(name, bytes);
            await File.WriteAllBytesAsync(Path.Combine(written, "records.new"), next.AsMemory(0, random.Next(next.Length + 1)));
            Assert.Equal(whole, DiskFolder.Dump(_folder.Read(written)));
            await (await _folder.JoinAsync(written)).DisposeAsync();
            Assert.Single(System.IO.Directory.EnumerateFiles(written, "records*"));
        }

        // After it has its name, before the old one is gone: the old one is an older past, and not read.
        string both = _folder.With("records-00000001", next);
        await File.WriteAllBytesAsync(Path.Combine(both, "records-00000002"), bytes);
        Assert.Equal(whole, DiskFolder.Dump(_folder.Read(both)));
        await (await _folder.JoinAsync(both)).DisposeAsync();
        Assert.EndsWith("records-00000003", Assert.Single(System.IO.Directory.EnumerateFiles(both, "records*")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_was_done_is_read_as_it_was()
    {
        var random = new Random(DiskFolder.Seed(output));
        for (int life = 0; life < 5; life++)
        {
            MemoryDirectory directory = await _folder.JoinAsync();
            var history = new DiskHistory(directory, random);
            for (int i = 0; i < 20; i++)
            {
                await history.StepsAsync(10);
                Assert.Equal(history.Live(), DiskFolder.Dump(_folder.Read(_folder.Copy())));
            }

            await directory.DisposeAsync();
        }
    }

    // The file that a start writes in the place of the one there.
    private async Task<string> ReplacedAsync(string folder)
    {
        await (await _folder.JoinAsync(folder)).DisposeAsync();
        return Assert.Single(System.IO.Directory.EnumerateFiles(folder, "records*"));
    }
}
