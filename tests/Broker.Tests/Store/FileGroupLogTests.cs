using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker.Tests.Store;

public sealed class FileGroupLogTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(LogCommit.Os)]
    [InlineData(LogCommit.Always)]
    public void Messages_and_positions_come_back_and_a_new_term_begins(LogCommit commit)
    {
        var options = new BrokerOptions { Commit = commit };
        var first = new StoreHarness(_folder.Path, options);
        ulong term = first.Log.Term;
        Assert.Equal(new LogPosition(term, 1), first.Append("a"));
        Assert.NotEqual(first.Log.Tail, first.Log.Committed);
        first.Commit();
        first.Append("b");
        first.Commit();
        using TempFolder killed = TempFolder.CopyOf(_folder.Path);
        first.Close();
        foreach (string folder in new[] { _folder.Path, killed.Path })
        {
            var second = new StoreHarness(folder, options);
            Assert.True(second.Log.Term > term);
            Assert.Equal(new LogPosition(second.Log.Term, 0), second.Log.Tail);
            second.Append("c");
            second.Commit();
            Assert.Equal(["a", "b", "c"], second.Read().Select(message => message.Payload));
            Assert.Equal(new LogPosition(term, 2), second.Read()[1].Position);
            Assert.Equal(["c"], second.Read(new LogPosition(term, 2)).Select(message => message.Payload));
            second.Log.Seek(new LogPosition(term, 2), out bool lost);
            Assert.False(lost);
            second.Close();
        }
    }

    [Fact]
    public void Terms_rise_above_every_term_known_though_nothing_was_logged_and_the_clock_went_back()
    {
        var late = new ManualTime(new DateTimeOffset(2036, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var first = new StoreHarness(_folder.Path, time: late);
        first.Log.RaiseTermAbove(first.Log.Term + 1000);
        ulong raised = first.Log.Term;
        first.Commit();
        first.Close();
        var second = new StoreHarness(_folder.Path, time: new ManualTime());
        Assert.Equal(raised + 1, second.Log.Term);
        second.Log.Seek(new LogPosition(raised, 0), out bool lost);
        Assert.False(lost);
        second.Close();
    }

    [Fact]
    public void Every_part_of_a_message_comes_back_and_its_lifetime_goes_on()
    {
        var time = new ManualTime();
        var first = new StoreHarness(_folder.Path, time: time);
        first.Log.Append(new LogRecord
        {
            Topic = "t/1"u8,
            Properties = "pp"u8,
            Payload = "body"u8,
            QoS = QoS.ExactlyOnce,
            Retain = true,
            ExpiresAtMs = first.Loop.NowMs + 60_000,
            Origin = 0xABCDEF,
        });
        first.Commit();
        LogCursor cursor = first.Log.Seek(default, out _);
        Assert.Equal(LogReading.Record, first.Log.TryRead(ref cursor, out LogRecord record));
        first.Close();

        time.Advance(TimeSpan.FromSeconds(10));
        var second = new StoreHarness(_folder.Path, time: time);
        cursor = second.Log.Seek(default, out _);
        Assert.Equal(LogReading.Record, second.Log.TryRead(ref cursor, out record));
        Assert.Equal("t/1"u8, record.Topic);
        Assert.Equal("pp"u8, record.Properties);
        Assert.Equal("body"u8, record.Payload);
        Assert.Equal(QoS.ExactlyOnce, record.QoS);
        Assert.True(record.Retain);
        Assert.Equal(50u, record.RemainingSeconds(second.Loop.NowMs));
        Assert.Equal(0xABCDEFul, record.Origin);
        second.Close();
    }

    [Fact]
    public void Numbers_of_links_and_ids_of_messages_survive_a_kill_and_outlive_retention()
    {
        BrokerOptions options = StoreHarness.Small with { LogMaximumBytes = 64 * 1024 };
        var first = new StoreHarness(_folder.Path, options);
        LogProducer producer = first.Log.Acquire("node-1", 2);
        first.Append("x", producer, 7);
        first.Append("y", id: new MessageId("node-2", 0, 5));
        for (int i = 0; i < 10; i++)
        {
            first.Append(new string('x', 3000));
            first.Commit();
        }

        using TempFolder killed = TempFolder.CopyOf(_folder.Path);
        var second = new StoreHarness(killed.Path, options);
        Assert.True(second.Log.TryFind(new MessageId("node-2", 0, 5), out LogPosition position));
        Assert.Equal(2ul, position.Offset);
        Assert.False(second.Log.TryFind(new MessageId("node-2", 0, 6), out _));
        Assert.True(second.Log.TryFind(new MessageId("node-1", 2, 6), out _));
        second.Close();

        for (int i = 0; i < 100; i++)
        {
            first.Append(new string('x', 3000));
            first.Commit();
        }

        Assert.True(first.Log.Dropped > 0 && first.Log.Bytes <= 64 * 1024);
        first.Close();
        var third = new StoreHarness(_folder.Path, options);
        Assert.Equal(7ul, third.Log.Acquire("node-1", 2).LastNumber);
        Assert.False(third.Log.TryFind(new MessageId("node-2", 0, 5), out _), "the log does not keep that message any more");
        third.Close();
    }

    [Fact]
    public void Retention_drops_whole_segments_and_a_cursor_left_behind_is_told()
    {
        BrokerOptions options = StoreHarness.Small with { LogMaximumBytes = 64 * 1024 };
        var store = new StoreHarness(_folder.Path, options);
        LogCursor cursor = store.Log.Seek(default, out _);
        for (int i = 0; i < 200; i++)
        {
            store.Append($"{i} {new string('x', 1000)}");
            store.Commit();
        }

        Assert.InRange(store.Log.Bytes, 40 * 1024, 64 * 1024);
        Assert.Equal(200, store.Log.Messages + store.Log.Dropped);
        Assert.Equal(LogReading.Lost, store.Next(ref cursor, out _));
        Assert.Equal(store.Log.Start, cursor.Position);
        Assert.Equal(store.Log.Messages, store.Read().Count);
        store.Log.Seek(default, out bool lost);
        Assert.True(lost);
        store.Close();
        Assert.InRange(new DirectoryInfo(Path.Combine(_folder.Path, "g")).GetFiles("*.log").Sum(file => file.Length), 0, 64 * 1024);
    }

    [Fact]
    public void What_is_not_in_memory_is_fetched_and_the_cache_keeps_its_bound()
    {
        var store = new StoreHarness(_folder.Path, StoreHarness.Small);
        for (int i = 0; i < 100; i++)
        {
            store.Append($"{i} {new string('x', 1000)}");
        }

        store.Append(new string('y', 20_000));
        store.Commit();
        LogCursor cursor = store.Log.Seek(default, out _);
        Assert.Equal(LogReading.Pending, store.Log.TryRead(ref cursor, out _));
        Assert.Equal(101, store.Read().Count);
        store.Close();
    }

    [Fact]
    public void Two_brokers_never_open_one_folder()
    {
        var first = new StoreHarness(_folder.Path);
        StoreException refused = Assert.Throws<StoreException>(() => new StoreHarness(_folder.Path));
        Assert.Contains("Another broker that uses it must end first", refused.Message, StringComparison.Ordinal);
        first.Close();
        new StoreHarness(_folder.Path).Close();
    }

    [Fact]
    public void A_segment_of_a_newer_version_or_of_another_group_is_refused_with_a_sentence()
    {
        new StoreHarness(_folder.Path).Close();
        string file = Directory.GetFiles(Path.Combine(_folder.Path, "g"), "*.log").Single();
        byte[] bytes = File.ReadAllBytes(file);
        bytes[8] = 3;
        BitConverter.TryWriteBytes(bytes.AsSpan(252), Crc32C.Of(0x54524E4B, bytes.AsSpan(0, 252)));
        File.WriteAllBytes(file, bytes);
        Assert.Contains("newer version (schema 3", Assert.Throws<StoreException>(() => new StoreHarness(_folder.Path)).Message, StringComparison.Ordinal);

        bytes[8] = 1;
        bytes[41] = (byte)'h';
        BitConverter.TryWriteBytes(bytes.AsSpan(252), Crc32C.Of(0x54524E4B, bytes.AsSpan(0, 252)));
        File.WriteAllBytes(file, bytes);
        Assert.Contains("belongs to group 'h'", Assert.Throws<StoreException>(() => new StoreHarness(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_inside_a_payload_is_not_taken_for_one_of_the_file()
    {
        var store = new StoreHarness(_folder.Path);
        store.Append("one");
        store.Commit();
        string file = Directory.GetFiles(Path.Combine(_folder.Path, "g"), "*.log").Single();
        byte[] copy = File.ReadAllBytes(file);
        store.Log.Append(new LogRecord { Topic = "t"u8, Payload = copy, QoS = QoS.AtLeastOnce, ExpiresAtMs = long.MaxValue });
        store.Commit();
        using TempFolder killed = TempFolder.CopyOf(_folder.Path);
        string torn = Directory.GetFiles(Path.Combine(killed.Path, "g"), "*.log").Single();
        using (var stream = new FileStream(torn, FileMode.Open))
        {
            stream.SetLength(stream.Length - 1);
        }

        var again = new StoreHarness(killed.Path);
        Assert.Equal(["one"], again.Read().Select(message => message.Payload));
        Assert.True(again.Store.Counters.Read(BrokerCounter.LogBytesCut) > copy.Length);
        again.Close();
        store.Close();
    }

    /// <summary>Segments are named by their first message: two that begin with the same one would be one file.</summary>
    [Fact]
    public void Records_of_shares_without_a_message_between_them_take_no_file_from_the_messages_behind_them()
    {
        BrokerOptions options = StoreHarness.Small with { LogMaximumAgeMs = 1_000 };
        var store = new StoreHarness(_folder.Path, options);
        store.Append("old");
        store.Commit();
        for (int i = 0; i < 10; i++)
        {
            store.Log.AppendShares(new byte[options.LogSegmentBytes / 2]);
            store.Commit();
        }

        store.Loop.Advance(TimeSpan.FromSeconds(2));
        store.Append("new");
        store.Commit();
        store.Log.OnTick();
        store.Close();
        var again = new StoreHarness(_folder.Path, options);
        Assert.Equal(["new"], again.Read().Select(read => read.Payload));
        again.Close();
    }
}
