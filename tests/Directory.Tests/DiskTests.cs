using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Sessions;
using Trunkline.Topics;
using Xunit.Abstractions;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests;

/// <summary>The directory of one process in a folder: what was answered is there after the process's death.</summary>
public sealed class DiskTests : IDisposable
{
    private const uint Hour = 3_600;
    private readonly string _folder = System.IO.Directory.CreateTempSubdirectory("trunkline-directory-").FullName;
    private readonly Meter _meter = new("disk");
    private readonly ITestOutputHelper _output;
    private int _seed = 1;

    public DiskTests(ITestOutputHelper output) => _output = output;

    public void Dispose()
    {
        _meter.Dispose();
        System.IO.Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Sessions_wills_and_slots_come_back_after_a_death()
    {
        MemoryDirectory first = await JoinAsync(_folder);
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

        // As kill -9 leaves it: a copy of the folder while the process uses it.
        string copy = Copy();
        MemoryDirectory second = await JoinAsync(copy);
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

        // The tier's shape is kept with what depends on it.
        await second.DisposeAsync();
        MemoryDirectory other = Make(copy);
        Assert.Equal(DirectoryStatus.Refused, (await other.JoinAsync(new(0, ["g0"]), new RecordingEvents())).Status);
        await other.DisposeAsync();
        await first.DisposeAsync();
    }

    [Fact]
    public async Task A_folder_has_one_process_and_says_so()
    {
        MemoryDirectory first = await JoinAsync(_folder);
        DirectoryDataException refused = Assert.Throws<DirectoryDataException>(() => Make(_folder));
        Assert.Contains("another process", refused.Message, StringComparison.Ordinal);
        await first.DisposeAsync();
        await (await JoinAsync(_folder)).DisposeAsync();
        Assert.Throws<DirectoryDataException>(() => Make("/proc/no/such"));
    }

    [Fact]
    public async Task The_file_is_replaced_when_it_has_grown_and_what_ended_leaves_nothing()
    {
        MemoryDirectory first = await JoinAsync(_folder);
        SessionToken token = (await first.MustClaimAsync("id", new() { ExpirySeconds = Hour })).Token;
        string big = new('x', 1024 * 1024);
        string before = Newest();
        for (int i = 0; i < 40; i++)
        {
            await first.WriteSessionAsync("id", token, Sets(("p", big + i))).MustAsync();
        }

        Assert.NotEqual(before, Newest());
        Assert.InRange(new FileInfo(Newest()).Length, 1, RecordJournal.SmallBytes + (2 * 1024 * 1024));
        Assert.Single(System.IO.Directory.EnumerateFiles(_folder, "records-*"));
        await first.DisposeAsync();
        MemoryDirectory second = await JoinAsync(_folder);
        Assert.Equal("p=" + big + "39", (await second.MustReadAsync("id")).Text());
        Claim last = await second.MustClaimAsync("id", new() { ClearsAll = true });
        await second.ReleaseAsync("id", last.Token).MustAsync();
        await second.DisposeAsync();
        await (await JoinAsync(_folder)).DisposeAsync();
        Assert.InRange(new FileInfo(Newest()).Length, 1, 4_096);
    }

    [Fact]
    public async Task Cut_anywhere_it_keeps_all_whole_steps_before()
    {
        (byte[] bytes, string name, int steps) = await HistoryAsync();
        var random = new Random(Seed());
        int seen = -1;
        foreach (int length in Enumerable.Range(0, 100).Select(_ => random.Next(RecordFile.HeaderBytes, bytes.Length + 1)).Order())
        {
            string copy = Write(name, bytes.AsSpan(0, length));
            var contents = new MemoryContents();
            using (RecordJournal.Open(copy, contents, NullLogger.Instance))
            {
                int count = contents.Records.Find("id") is { } session && session.Fields.TryGetValue("p", out ReadOnlyMemory<byte> p)
                    ? int.Parse(p.Text(), System.Globalization.CultureInfo.InvariantCulture) : -1;
                Assert.InRange(count, seen, steps - 1);
                seen = count;
                Assert.Equal(Math.Max(0, count + 1), contents.Records.Find("id")?.Fields.Keys.Count(k => k.StartsWith("o:", StringComparison.Ordinal)) ?? 0);
            }
        }
    }

    [Fact]
    public async Task A_flipped_byte_is_refused_with_a_sentence_or_is_the_last_step()
    {
        (byte[] bytes, string name, int steps) = await HistoryAsync();
        var random = new Random(Seed());
        int refused = 0;
        for (int i = 0; i < 100; i++)
        {
            int at = random.Next(bytes.Length);
            byte[] damaged = [.. bytes];
            damaged[at] ^= (byte)(1 << random.Next(8));
            string copy = Write(name, damaged);
            var contents = new MemoryContents();
            try
            {
                RecordJournal.Open(copy, contents, NullLogger.Instance).Dispose();
                Assert.True(at is 6 or 7 || contents.Records.Find("id")!.Fields["p"].Text() == (steps - 2).ToString(System.Globalization.CultureInfo.InvariantCulture), $"byte {at}");
            }
            catch (DirectoryDataException exception)
            {
                refused++;
                Assert.True(exception.Message.Contains("from a backup", StringComparison.Ordinal) || at < RecordFile.HeaderBytes, exception.Message);
            }
        }

        Assert.InRange(refused, 90, 100);
    }

    [Fact]
    public async Task A_file_of_a_newer_version_is_left_alone()
    {
        (byte[] bytes, string name, _) = await HistoryAsync();
        bytes[5] = RecordFile.Schema + 1;
        string copy = Write(name, bytes);
        Assert.Contains("newer version", Assert.Throws<DirectoryDataException>(() => Make(copy)).Message, StringComparison.Ordinal);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(System.IO.Path.Combine(copy, name)));
    }

    [Fact]
    public async Task What_cannot_be_written_is_not_done_and_it_heals()
    {
        MemoryDirectory directory = await JoinAsync(_folder);
        SessionToken token = (await directory.MustClaimAsync("id", new() { ExpirySeconds = Hour })).Token;
        string full = new('x', (int)RecordJournal.SmallBytes);

        // The next file cannot be made where a folder stands.
        string blocked = System.IO.Path.Combine(_folder, "records.new");
        System.IO.Directory.CreateDirectory(System.IO.Path.Combine(blocked, "x"));
        DirectoryResult refused = await directory.WriteSessionAsync("id", token, Sets(("p", full)));
        Assert.Equal(DirectoryStatus.Unavailable, refused.Status);
        Assert.Equal(DirectoryStatus.Unavailable, (await directory.ClaimAsync(new("other", 1))).Status);
        Assert.True((await directory.LookUpAsync("id")).IsOk);
        System.IO.Directory.Delete(blocked, recursive: true);
        await directory.WriteSessionAsync("id", token, Sets(("p", "1"))).MustAsync();
        await directory.DisposeAsync();
        MemoryDirectory again = await JoinAsync(_folder);
        Assert.Equal("p=1", (await again.MustReadAsync("id")).Text());
        await again.DisposeAsync();
    }

    private async Task<(byte[] Bytes, string Name, int Steps)> HistoryAsync()
    {
        const int Steps = 60;
        MemoryDirectory directory = await JoinAsync(_folder);
        SessionToken token = (await directory.MustClaimAsync("id", new() { ExpirySeconds = Hour })).Token;
        for (int i = 0; i < Steps; i++)
        {
            await directory.WriteSessionAsync("id", token, Sets(("p", "" + i), ("o:" + i, new string('x', 50)))).MustAsync();
        }

        byte[] bytes = await File.ReadAllBytesAsync(System.IO.Path.Combine(Copy(), System.IO.Path.GetFileName(Newest())));
        string name = System.IO.Path.GetFileName(Newest());
        await directory.DisposeAsync();
        return (bytes, name, Steps);
    }

    private int Seed()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("TRUNKLINE_TEST_SEED"), out int given) ? given : Random.Shared.Next();
        _output.WriteLine($"TRUNKLINE_TEST_SEED={seed}");
        return seed;
    }

    private string Newest() => System.IO.Directory.EnumerateFiles(_folder, "records-*").Order(StringComparer.Ordinal).Last();

    private string Write(string name, ReadOnlySpan<byte> bytes)
    {
        string copy = System.IO.Directory.CreateDirectory(System.IO.Path.Combine(_folder, "copies", Guid.NewGuid().ToString("n"))).FullName;
        File.WriteAllBytes(System.IO.Path.Combine(copy, name), bytes.ToArray());
        return copy;
    }

    private string Copy()
    {
        string copy = System.IO.Directory.CreateDirectory(System.IO.Path.Combine(_folder, "copies", Guid.NewGuid().ToString("n"))).FullName;
        foreach (string file in System.IO.Directory.EnumerateFiles(_folder, "records-*"))
        {
            File.Copy(file, System.IO.Path.Combine(copy, System.IO.Path.GetFileName(file)));
        }

        return copy;
    }

    private MemoryDirectory Make(string folder)
    {
        var self = new NodeInfo(NodeId.NewId(new Random(_seed++)), "one", "", "", "");
        return MemoryDirectory.Open(self, new DirectoryOptions { DataDirectory = folder }, new(TimeProvider.System, NullLogger.Instance, _meter, 1));
    }

    private async Task<MemoryDirectory> JoinAsync(string folder)
    {
        MemoryDirectory directory = Make(folder);
        await directory.JoinAsync(TestTier.Shape, new RecordingEvents()).MustAsync();
        return directory;
    }
}
