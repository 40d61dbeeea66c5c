using Trunkline.Broker.Tests.Support;
using Trunkline.Sessions;

namespace Trunkline.Broker.Tests.Store;

/// <summary>
/// FAULTS 14: a log cut anywhere, or with one flipped byte, is read up to the damage when that is its torn end, and refused
/// with a sentence otherwise; nothing is deleted, and what was there before the damage stays.
/// </summary>
public sealed class DamageTests : IDisposable
{
    private const int Places = 200;
    private readonly TempFolder _folder = new();
    private readonly List<(LogPosition Position, string Payload)> _all = [];

    public DamageTests()
    {
        var store = new StoreHarness(_folder.Path, StoreHarness.Small);
        var random = new Random(20261125);
        for (int i = 0; i < 120; i++)
        {
            string payload = $"{i} {new string('x', random.Next(900))}";
            _all.Add((store.Append(payload), payload));
            store.Commit();
        }

        using TempFolder killed = TempFolder.CopyOf(_folder.Path);
        store.Close();
        Directory.Delete(_folder.Path, recursive: true);
        Directory.Move(killed.Path, _folder.Path);
        Directory.CreateDirectory(killed.Path);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void One_flipped_byte_is_refused_or_cut_at_the_very_end_never_read(int seed)
    {
        var random = new Random(seed);
        for (int n = 0; n < Places / 2; n++)
        {
            using TempFolder copy = TempFolder.CopyOf(_folder.Path);
            string[] files = Segments(copy);
            string file = files[random.Next(files.Length)];
            byte[] bytes = File.ReadAllBytes(file);
            int place = random.Next(bytes.Length);
            bytes[place] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(file, bytes);
            string at = $"seed {seed}, {Path.GetFileName(file)} byte {place}";
            bool isLastRecord = file == files[^1] && place >= LastRecordAt(bytes.Length);
            Check(copy, isLastRecord ? _all.Count - 1 : null, at);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void A_log_cut_anywhere_keeps_what_stands_before_or_is_refused(int seed)
    {
        var random = new Random(seed);
        for (int n = 0; n < Places / 2; n++)
        {
            using TempFolder copy = TempFolder.CopyOf(_folder.Path);
            string[] files = Segments(copy);
            string file = random.Next(2) == 0 ? files[^1] : files[random.Next(files.Length)];
            using (var stream = new FileStream(file, FileMode.Open))
            {
                stream.SetLength(random.Next((int)stream.Length));
            }

            bool isHeaderWhole = new FileInfo(file).Length is 0 or >= LogSegment.HeaderBytes;
            Check(copy, file == files[^1] && isHeaderWhole ? -1 : null, $"seed {seed}, {Path.GetFileName(file)} cut to {new FileInfo(file).Length}");
        }
    }

    [Fact]
    public void A_damaged_segment_is_set_aside_when_asked_for_and_the_rest_is_served()
    {
        string[] files = Segments(_folder);
        byte[] bytes = File.ReadAllBytes(files[1]);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(files[1], bytes);
        StoreException refused = Assert.Throws<StoreException>(() => new StoreHarness(_folder.Path, StoreHarness.Small));
        Assert.Contains($"{files[1]} is damaged at offset ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--Broker:DamagedSegments set-aside", refused.Message, StringComparison.Ordinal);

        BrokerOptions options = StoreHarness.Small with { DamagedSegments = DamagedSegments.SetAside };
        var store = new StoreHarness(_folder.Path, options);
        List<(LogPosition Position, string Payload)> read = store.Read();
        Assert.True(File.Exists(files[1] + ".damaged"));
        Assert.Equal(read, _all.Where(read.Contains));
        Assert.Equal(_all[0], read[0]);
        Assert.Equal(_all[^1], read[^1]);
        Assert.InRange(read.Count, 60, 119);
        LogCursor cursor = store.Log.Seek(default, out _);
        LogReading reading;
        do
        {
            reading = store.Next(ref cursor, out _);
        }
        while (reading is LogReading.Record or LogReading.Pending);
        Assert.Equal(LogReading.Lost, reading);
        store.Append("new");
        store.Commit();
        store.Close();
        var again = new StoreHarness(_folder.Path, options);
        Assert.Equal(read.Count + 1, again.Read().Count);
        again.Close();
    }

    [Fact]
    public void A_missing_segment_is_refused_with_a_sentence()
    {
        File.Delete(Segments(_folder)[1]);
        StoreException refused = Assert.Throws<StoreException>(() => new StoreHarness(_folder.Path, StoreHarness.Small));
        Assert.Contains("a piece is missing", refused.Message, StringComparison.Ordinal);
        new StoreHarness(_folder.Path, StoreHarness.Small with { DamagedSegments = DamagedSegments.SetAside }).Close();
    }

    /// <summary>What a run had on the disk before the next write is no part of that write: damage there is never its torn tail.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_synced_before_is_not_cut_for_what_was_written_first_in_a_run(bool isBeginOfRun)
    {
        using var folder = new TempFolder();
        BrokerOptions options = StoreHarness.Small with { Commit = LogCommit.Always };
        var earlier = new StoreHarness(folder.Path, options);
        earlier.Append("earlier");
        earlier.Commit();
        earlier.Close();
        string file = Assert.Single(Segments(folder));
        int end = (int)new FileInfo(file).Length;
        var later = new StoreHarness(folder.Path, options);
        if (isBeginOfRun)
        {
            later.Append("later");
            later.Commit();
        }

        later.Close();
        byte[] bytes = File.ReadAllBytes(file);

        // The last byte of the earlier run, before the later one's term alone; or one of that term, before a message.
        bytes[isBeginOfRun ? end + RecordFrame.HeaderBytes : end - 1] ^= 1;
        File.WriteAllBytes(file, bytes);
        StoreException refused = Assert.Throws<StoreException>(() => new StoreHarness(folder.Path, options));
        Assert.Contains("is damaged at offset", refused.Message, StringComparison.Ordinal);
    }

    private static string[] Segments(TempFolder folder) =>
        [.. Directory.GetFiles(Path.Combine(folder.Path, "g"), "*.log").Order(StringComparer.Ordinal)];

    /// <summary>Where the last record of the newest segment begins.</summary>
    private int LastRecordAt(int length) => length - RecordFrame.HeaderBytes - 1 - _all[^1].Payload.Length;

    /// <param name="folder">The damaged folder.</param>
    /// <param name="served">Messages to be served: a number, -1 for any prefix; null: it is refused.</param>
    /// <param name="at">Where the damage is.</param>
    private void Check(TempFolder folder, int? served, string at)
    {
        int files = Directory.GetFiles(Path.Combine(folder.Path, "g"), "*.log*").Length;
        try
        {
            var store = new StoreHarness(folder.Path, StoreHarness.Small);
            List<(LogPosition Position, string Payload)> read = store.Read();
            store.Close();
            Assert.True(served is not null, $"{at}: the damage was not seen");
            Assert.True(served == -1 || read.Count == served, $"{at}: {read.Count} messages read");
            Assert.True(read.SequenceEqual(_all.Take(read.Count)), $"{at}: other messages were read");
        }
        catch (StoreException refused)
        {
            Assert.True(served is null, $"{at}: {refused.Message}");
            Assert.True(refused.Message.Contains("Bring back a sound copy", StringComparison.Ordinal)
                || refused.Message.Contains("Put it back", StringComparison.Ordinal), $"{at}: {refused.Message}");
        }

        Assert.True(Directory.GetFiles(Path.Combine(folder.Path, "g"), "*.log*").Length >= files, $"{at}: a file is gone");
    }
}
