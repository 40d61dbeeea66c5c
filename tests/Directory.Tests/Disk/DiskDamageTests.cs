using System.Globalization;
using Xunit.Abstractions;

namespace Trunkline.Directory.Tests.Disk;

/// <summary>FAULTS 14 for the directory's file: cut anywhere, or with one flipped bit.</summary>
public sealed class DiskDamageTests(ITestOutputHelper output) : IDisposable
{
    private const int Steps = 60;
    private const int Places = 200;
    private readonly DiskFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Cut_anywhere_it_keeps_all_whole_steps_before_or_says_that_its_beginning_is_gone()
    {
        (byte[] bytes, string name, long beginning) = await _folder.HistoryAsync(Steps);
        var random = new Random(DiskFolder.Seed(output));
        int seen = -1;
        foreach (int length in Enumerable.Range(0, Places).Select(_ => random.Next(bytes.Length + 1)).Order())
        {
            string copy = _folder.With(name, bytes.AsSpan(0, length));
            if (length < beginning)
            {
                string sentence = Assert.Throws<DirectoryDataException>(() => _folder.Read(copy)).Message;
                Assert.Matches("records-[0-9]+ is damaged at byte [0-9]+: restore the folder from a backup", sentence);
                Assert.Equal(length, new FileInfo(Path.Combine(copy, name)).Length);
                continue;
            }

            MemoryContents contents = _folder.Read(copy);
            int count = LastStep(contents);
            Assert.InRange(count, seen, Steps - 1);
            seen = count;
            Assert.Equal(10, contents.Records.Sessions.Count(s => s.ClientId.StartsWith("before", StringComparison.Ordinal)));
            Assert.Equal(count + 1, contents.Records.Find("id")?.Fields.Keys.Count(k => k.StartsWith("o:", StringComparison.Ordinal)) ?? 0);
        }

        Assert.InRange(seen, Steps / 2, Steps - 1);
    }

    [Fact]
    public async Task A_flipped_bit_is_refused_with_a_sentence_or_takes_the_last_step_only()
    {
        (byte[] bytes, string name, _) = await _folder.HistoryAsync(Steps);
        var random = new Random(DiskFolder.Seed(output));
        int refused = 0;
        for (int i = 0; i < Places; i++)
        {
            int at = random.Next(bytes.Length);
            byte[] damaged = [.. bytes];
            damaged[at] ^= (byte)(1 << random.Next(8));
            string copy = _folder.With(name, damaged);
            try
            {
                Assert.Equal(Steps - 2, LastStep(_folder.Read(copy)));
            }
            catch (DirectoryDataException exception)
            {
                refused++;
                Assert.True(
                    exception.Message.Contains("damaged at byte", StringComparison.Ordinal) || (at == 5 && exception.Message.Contains("newer version", StringComparison.Ordinal)),
                    exception.Message);
                Assert.Equal(damaged, await File.ReadAllBytesAsync(Path.Combine(copy, name)));
            }
        }

        Assert.InRange(refused, Places * 9 / 10, Places);
    }

    [Fact]
    public async Task What_a_device_sends_cannot_be_taken_for_a_record()
    {
        // A step that holds what was a whole record in another file, and is torn.
        (byte[] bytes, _, long beginning) = await _folder.HistoryAsync(1);
        using var other = new DiskFolder();
        MemoryDirectory directory = await other.JoinAsync();
        SessionToken token = (await directory.MustClaimAsync("id", new() { ExpirySeconds = DiskFolder.Hour })).Token;
        await directory.WriteSessionAsync("id", token, new() { Sets = [new("w", bytes.AsMemory((int)beginning)), new("o:1", new byte[100])], WillDelaySeconds = 0 }).MustAsync();
        byte[] file = await File.ReadAllBytesAsync(Path.Combine(other.Copy(), Path.GetFileName(other.Newest)));
        await directory.DisposeAsync();
        Assert.Empty(other.Read(other.With("records-00000001", file.AsSpan(0, file.Length - 50))).Records.Find("id")!.Fields);
    }

    [Fact]
    public async Task A_file_of_a_newer_version_is_left_alone()
    {
        (byte[] bytes, string name, _) = await _folder.HistoryAsync(1);
        bytes[5] = RecordFile.Schema + 1;
        string copy = _folder.With(name, bytes);
        Assert.Contains("newer version", Assert.Throws<DirectoryDataException>(() => _folder.Make(copy)).Message, StringComparison.Ordinal);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(copy, name)));
    }

    private static int LastStep(MemoryContents contents) =>
        contents.Records.Find("id") is { } session && session.Fields.TryGetValue("p", out ReadOnlyMemory<byte> p) ? int.Parse(p.Text(), CultureInfo.InvariantCulture) : -1;
}
