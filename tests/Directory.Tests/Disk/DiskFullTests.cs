using System.Diagnostics;
using System.Globalization;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests.Disk;

/// <summary>FAULTS 13 for the directory's file: what cannot be written is not done, and it heals by itself.</summary>
public sealed class DiskFullTests : IDisposable
{
    private readonly DiskFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [RootFact]
    public async Task A_full_disk_refuses_changes_answers_questions_and_heals_when_there_is_room()
    {
        string disk = System.IO.Directory.CreateDirectory(Path.Combine(_folder.Path, "disk")).FullName;
        Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk);
        try
        {
            await FillAsync(disk);
        }
        finally
        {
            Run("umount", disk);
        }
    }

    [Fact]
    public async Task No_room_for_a_second_file_is_no_reason_to_refuse_a_step()
    {
        MemoryDirectory directory = await _folder.JoinAsync();
        SessionToken token = (await directory.MustClaimAsync("id", new() { ExpirySeconds = DiskFolder.Hour })).Token;

        // The next file cannot be made where a folder stands.
        string blocked = Path.Combine(_folder.Path, "records.new");
        System.IO.Directory.CreateDirectory(Path.Combine(blocked, "x"));
        string before = _folder.Newest;
        string big = new('x', 1024 * 1024);
        int steps = (int)(RecordJournal.SmallBytes / big.Length) + 3;
        for (int i = 0; i < steps; i++)
        {
            await directory.WriteSessionAsync("id", token, Sets(("p", big + i))).MustAsync();
        }

        Assert.Equal(before, _folder.Newest);
        Assert.True(_folder.NewestBytes > RecordJournal.SmallBytes);
        System.IO.Directory.Delete(blocked, recursive: true);
        for (int i = 0; i < steps; i++)
        {
            await directory.WriteSessionAsync("id", token, Sets(("p", big + i))).MustAsync();
        }

        Assert.NotEqual(before, _folder.Newest);
        await directory.DisposeAsync();
    }

    private async Task FillAsync(string disk)
    {
        string folder = Path.Combine(disk, "directory");
        string ballast = Path.Combine(disk, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[512 * 1024]);
        MemoryDirectory directory = await _folder.JoinAsync(folder);
        SessionToken token = (await directory.MustClaimAsync("id", new() { ExpirySeconds = DiskFolder.Hour })).Token;
        int done = 0;
        DirectoryResult refused;
        while ((refused = await WriteAsync(done)).IsOk)
        {
            Assert.True(++done < 1_000, "the disk did not fill");
        }

        Assert.Equal(DirectoryStatus.Unavailable, refused.Status);
        Assert.Contains("cannot be written", refused.Detail, StringComparison.Ordinal);

        // While it is full: no change, also of others and also after the pause; what only asks is answered, the lease goes on.
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalMilliseconds < 2 * RecordJournal.RetryPauseMs;)
        {
            Assert.Equal(DirectoryStatus.Unavailable, (await directory.ClaimAsync(new("other", 1))).Status);
            Assert.True((await directory.LookUpAsync("id")).IsOk);
            await Eventually.LastsAsync(TimeSpan.FromMilliseconds(20));
        }

        Assert.Equal(DirectoryState.Connected, directory.Health.State);

        // Killed now: all that was answered is there, and what was refused, or not.
        string killed = System.IO.Directory.CreateDirectory(Path.Combine(_folder.Path, "killed")).FullName;
        string name = Path.GetFileName(Assert.Single(System.IO.Directory.EnumerateFiles(folder, "records*")));
        File.Copy(Path.Combine(folder, name), Path.Combine(killed, name));
        Assert.InRange(Number(_folder.Read(killed)), done - 1, done);

        File.Delete(ballast);
        await Eventually.HoldsAsync(async () => (await WriteAsync(done + 1)).IsOk, "the directory writes again");
        await directory.DisposeAsync();
        Assert.Equal(done + 1, Number(_folder.Read(folder)));

        async Task<DirectoryResult> WriteAsync(int number) => await directory.WriteSessionAsync(
            "id", token, Sets(("p", number.ToString(CultureInfo.InvariantCulture)), ("o:" + (number % 10), new string('x', 2_000))));
    }

    private static int Number(MemoryContents contents) => int.Parse(contents.Records.Find("id")!.Fields["p"].Text(), CultureInfo.InvariantCulture);

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
