using System.Buffers.Binary;
using Trunkline.Broker.Tests.Support;
using Trunkline.Sessions;

namespace Trunkline.Broker.Tests.Store;

/// <summary>FAULTS 14 in service: bytes that rot under a running broker cost the record they are in, told once and counted.</summary>
public sealed class RottenLogTests : IDisposable
{
    private static readonly BrokerOptions Options = new() { LogBlockBytes = 64 * 1024, LogSegmentBytes = 128 * 1024, LogCacheBytes = 4096 };
    private readonly TempFolder _folder = new();
    private readonly List<(LogPosition Position, string Payload)> _all = [];
    private readonly StoreHarness _store;

    public RottenLogTests()
    {
        _store = new StoreHarness(_folder.Path, Options);
        var random = new Random(20261126);
        for (int i = 0; i < 900; i++)
        {
            // One is larger than places are apart.
            string payload = $"{i} {new string('x', i == 100 ? 30_000 : random.Next(900))}";
            _all.Add((_store.Append(payload), payload));
            if (i % 7 == 0)
            {
                // No message: its loss costs no number.
                _store.Log.AppendShares(new byte[random.Next(200)]);
            }

            _store.Commit();
        }
    }

    private string File => Directory.GetFiles(Path.Combine(_folder.Path, "g"), "*.log").Order(StringComparer.Ordinal).First();

    public void Dispose()
    {
        _store.Close();
        _folder.Dispose();
    }

    [Fact]
    public void A_damaged_record_is_passed_over_alone_and_told_once()
    {
        int at = Starts()[50];
        Change(at + RecordFrame.HeaderBytes + 1);
        int lost = CheckRead(out List<string> missing);
        Assert.Equal(1, lost);
        Assert.Single(missing);
        CheckRead(out _);
        Assert.Equal(1, Count(BrokerCounter.LogDamagedPlaces));
        Assert.Equal(1, Count(BrokerCounter.LogMessagesLost));
        Assert.Equal(0, Count(BrokerCounter.LogUnreadableBlocks));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void A_damaged_length_costs_its_record_alone(int byteOfLength)
    {
        Change(Starts()[50] + byteOfLength);
        Assert.Equal(1, CheckRead(out List<string> missing));
        Assert.Single(missing);
    }

    [Fact]
    public void Two_damaged_records_whose_lengths_lead_on_are_passed_over_alone()
    {
        Change(Starts()[50] + RecordFrame.HeaderBytes + 1);
        Change(Starts()[53] + RecordFrame.HeaderBytes + 1);
        Assert.Equal(2, CheckRead(out List<string> missing));
        Assert.Equal(2, missing.Count);
    }

    [Fact]
    public void What_lies_between_two_damaged_lengths_is_lost_only_up_to_the_next_place()
    {
        int[] starts = Starts();
        Change(starts[50] + 1);
        Change(starts[53] + 1);
        Assert.Equal(1, CheckRead(out List<string> missing));
        Assert.InRange(missing.Count, 2, 4);
        Assert.Equal(1, Count(BrokerCounter.LogDamagedPlaces));
        Assert.Equal(missing.Count, Count(BrokerCounter.LogMessagesLost));
    }

    [Fact]
    public void A_damaged_record_that_is_no_message_costs_none()
    {
        byte[] bytes = ReadFile();
        int shares = Starts().First(start => start > 1000 && bytes[start + 42] == (byte)RecordKind.Shares);
        Change(shares + 20);
        Assert.Equal(0, CheckRead(out List<string> missing));
        Assert.Empty(missing);
        Assert.Equal(1, Count(BrokerCounter.LogDamagedPlaces));
        Assert.Equal(0, Count(BrokerCounter.LogMessagesLost));
    }

    /// <summary>Whatever rots: nothing is served under another's position, nothing is missing uncounted, and little is missing.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Any_damage_costs_what_lies_in_it_and_no_position_moves(int seed)
    {
        var random = new Random(seed);
        byte[] sound = ReadFile();
        for (int n = 0; n < 60; n++)
        {
            // The last blocks of a file may still be in memory.
            int places = random.Next(1, 4);
            int length = random.Next(4) == 0 ? random.Next(1, 3_000) : 1;
            byte[] bytes = sound.ToArray();
            for (int i = 0; i < places; i++)
            {
                int at = random.Next(LogSegment.HeaderBytes, bytes.Length - length);
                random.NextBytes(bytes.AsSpan(at, length));
                bytes[at] = (byte)~sound[at];
            }

            WriteFile(bytes);
            long before = Count(BrokerCounter.LogMessagesLost);
            CheckRead(out List<string> missing);
            string what = $"seed {seed}, {n}: {places} places of {length} bytes, {missing.Count} missing";
            Assert.True(missing.Count <= places * (80 + (length / 48)), what);
            Assert.True(Count(BrokerCounter.LogMessagesLost) - before <= missing.Count, what);
        }
    }

    private long Count(BrokerCounter counter) => _store.Store.Counters.Read(counter);

    /// <summary>Reads all; what is read must stand where it stood. Returns how often a loss was told.</summary>
    private int CheckRead(out List<string> missing)
    {
        var known = _all.ToDictionary();
        int lost = 0;
        LogCursor cursor = _store.Log.Seek(default, out bool mayHaveLost);
        Assert.False(mayHaveLost);
        LogPosition last = default;
        for (LogReading reading = LogReading.Pending; reading != LogReading.Tail;)
        {
            reading = _store.Next(ref cursor, out (LogPosition Position, string Payload) message);
            lost += reading == LogReading.Lost ? 1 : 0;
            if (reading == LogReading.Record)
            {
                Assert.True(message.Position > last);
                last = message.Position;
                Assert.True(known.Remove(message.Position, out string? payload), $"{message.Position} was not appended, or read twice");
                Assert.Equal(payload, message.Payload);
            }
        }

        missing = [.. known.Values];
        Assert.True(missing.Count == 0 || lost > 0, "a message is missing that nobody was told of");
        return lost;
    }

    private int[] Starts()
    {
        byte[] bytes = ReadFile();
        var starts = new List<int>();
        for (int at = LogSegment.HeaderBytes; at < bytes.Length; at += BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at)))
        {
            starts.Add(at);
        }

        return [.. starts];
    }

    private void Change(int place)
    {
        byte[] bytes = ReadFile();
        bytes[place] ^= 0x10;
        WriteFile(bytes);
    }

    private byte[] ReadFile()
    {
        using var stream = new FileStream(File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private void WriteFile(byte[] bytes)
    {
        using var stream = new FileStream(File, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        stream.Write(bytes);
    }
}
