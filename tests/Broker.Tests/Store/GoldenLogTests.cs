using System.Buffers;
using System.Text;
using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker.Tests.Store;

/// <summary>
/// A group's folder as a released version wrote it (Golden/*.txt: what it says, then each file): this version reads it whole,
/// and writes such files. A format that changes gets a version number and a file of its own; the old files stay.
/// </summary>
public sealed class GoldenLogTests : IDisposable
{
    /// <summary>Of this version: a record says up to where the file was synced, and the folder to which start of the system the run belonged.</summary>
    private const string Golden = "5a79ae2-log.txt";
    private const int Numbered = 20;
    private static readonly BrokerOptions Options = new() { LogBlockBytes = 1024, LogSegmentBytes = 2048, LogCacheBytes = 8192 };

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("6372db9-log.txt")]
    [InlineData(Golden)]
    public void What_a_released_version_wrote_is_read_whole(string golden)
    {
        string[] parts = Read(golden).Split("\n== ");
        foreach (string part in parts[1..])
        {
            string[] lines = part.Split('\n', 2);
            string file = Path.Combine(_folder.Path, lines[0]);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, Convert.FromBase64String(lines[1]));
        }

        var harness = new StoreHarness(_folder.Path, Options, time: new ManualTime(new DateTimeOffset(2026, 1, 1, 1, 0, 0, TimeSpan.Zero)));
        Assert.Equal(parts[0], Text(harness));
        harness.Close();
    }

    /// <summary>Not byte for byte: the time of day is in them. A record that grows or shrinks shows in the length of its file.</summary>
    [Fact]
    public void This_version_writes_files_of_the_same_shape()
    {
        string text = Write();
        string files = string.Concat(Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != "lock")
            .Order(StringComparer.Ordinal)
            .Select(file => $"\n== {Path.GetRelativePath(_folder.Path, file)}\n{Convert.ToBase64String(File.ReadAllBytes(file))}"));
        string[] expected = Read(Golden).Split("\n== ");
        string[] written = (text + files).Split("\n== ");
        Assert.True(
            expected[0] == written[0] && expected[1..].Select(Shape).SequenceEqual(written[1..].Select(Shape)),
            $"{Golden} would be:\n{text}{files}");

        static (string, int) Shape(string part) => (part.Split('\n')[0], part.Length);
    }

    /// <summary>Two runs of a broker that leave every kind of record; returns what a third finds.</summary>
    private string Write()
    {
        var first = new StoreHarness(_folder.Path, Options, time: new ManualTime());
        LogProducer producer = first.Log.Acquire("00000000000000aa", 3);
        LogPosition handedOut = default;
        for (int n = 1; n <= Numbered; n++)
        {
            handedOut = first.Log.Append(new LogRecord
            {
                Topic = Encoding.UTF8.GetBytes($"räume/{n % 3}"),
                Properties = n % 4 == 0 ? [0x26, 0, 1, (byte)'a', 0, 1, (byte)'b'] : default,
                Payload = Encoding.UTF8.GetBytes($"message {n} {new string('x', 100)}"),
                QoS = n % 2 == 0 ? QoS.ExactlyOnce : QoS.AtLeastOnce,
                Retain = n % 5 == 0,
                ExpiresAtMs = n % 7 == 0 ? 86_400_000 : long.MaxValue,
                Origin = (ulong)n,
                Producer = producer,
                Number = (ulong)n,
            });
        }

        first.Append("under an id of its own", id: new MessageId("will-of-a", 0, 17));
        var record = new ArrayBufferWriter<byte>();
        var writer = new ShareRecordWriter(record);
        writer.Share(5, true, "$share/g/räume/#"u8);
        writer.Changes(5, handedOut, 2, 0);
        writer.Handout(handedOut.Before, 0);
        writer.Handout(handedOut, 0xABCD);
        first.Log.AppendShares(record.WrittenSpan);
        first.Commit();
        first.Close();
        var second = new StoreHarness(_folder.Path, Options, time: new ManualTime(new DateTimeOffset(2026, 1, 1, 0, 30, 0, TimeSpan.Zero)));
        second.Append("of another term");
        second.Commit();
        second.Close();
        using TempFolder copy = TempFolder.CopyOf(_folder.Path);
        var third = new StoreHarness(copy.Path, Options, time: new ManualTime(new DateTimeOffset(2026, 1, 1, 1, 0, 0, TimeSpan.Zero)));
        string text = Text(third);
        third.Close();
        return text;
    }

    /// <summary>Everything a broker finds in the folder.</summary>
    private static string Text(StoreHarness harness)
    {
        var text = new StringBuilder();
        LogCursor cursor = harness.Log.Seek(default, out _);
        for (LogReading reading = LogReading.Record; reading != LogReading.Tail;)
        {
            LogCursor before = cursor;
            reading = harness.Log.TryRead(ref cursor, out LogRecord record);
            if (reading == LogReading.Record)
            {
                text.Append(record.Position).Append(' ').Append(Encoding.UTF8.GetString(record.Topic)).Append(' ')
                    .Append(Convert.ToHexString(record.Properties)).Append(' ').Append(record.QoS).Append(' ').Append(record.Retain).Append(' ')
                    .Append(record.Origin).Append(' ').Append(record.RemainingSeconds(harness.Loop.NowMs)).Append(' ')
                    .Append(Encoding.UTF8.GetString(record.Payload)).Append('\n');
            }
            else if (reading == LogReading.Pending)
            {
                LogBlock block = cursor.Block ?? before.Block!;
                LoopUntil.Holds(harness.Loop, () => !block.IsLoading, "the block is loaded");
            }
        }

        LogProducer producer = harness.Log.Acquire("00000000000000aa", 3);
        text.Append("producer ").Append(producer.LastNumber).Append(" at ").Append(producer.LastPosition).Append('\n');
        text.Append("id ").Append(harness.Log.TryFind(new MessageId("will-of-a", 0, 17), out LogPosition position)).Append(" at ").Append(position).Append('\n');
        text.Append("retained ").Append(harness.Store.Retained.Count).Append('\n');
        var shares = new ShareRecords();
        Assert.All(harness.Log.TakeShareRecords(), record => Assert.True(shares.Play(record)));
        foreach ((uint id, ShareRecords.Found found) in shares.Shares)
        {
            text.Append("share ").Append(id).Append(' ').Append(found.Filter).Append(' ').Append(found.IsLasting).Append(' ').Append(found.Position).Append(' ')
                .AppendJoin(',', found.Handouts.Select(handout => $"{handout.Key}={handout.Value}"));
        }

        return text.ToString();
    }

    private static string Read(string golden)
    {
        using Stream? stream = typeof(GoldenLogTests).Assembly.GetManifestResourceStream($"Golden.{golden}");
        Assert.True(stream is not null, $"There is no {golden}.");
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd().TrimEnd();
    }
}
