using System.Text;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker.Tests.Logs;

public sealed class MemoryGroupLogTests
{
    private readonly ManualLoop _loop = new();

    [Fact]
    public void Positions_rise_by_one_from_one()
    {
        MemoryGroupLog log = Log();
        Assert.Equal(new LogPosition(7, 0), log.Tail);
        Assert.Equal(new LogPosition(7, 1), Append(log, "a"));
        Assert.Equal(new LogPosition(7, 2), Append(log, "b"));
        Assert.Equal(log.Tail, log.Committed);
        Assert.Equal(new LogPosition(7, 0), log.Start);
        Assert.Equal(["7:1 a", "7:2 b"], Read(log, default));
        Assert.Equal(["7:2 b"], Read(log, new LogPosition(7, 1)));
    }

    [Fact]
    public void A_record_comes_back_as_it_went_in()
    {
        MemoryGroupLog log = Log();
        log.Append(new LogRecord
        {
            Topic = "t/1"u8,
            Properties = "pp"u8,
            Payload = "body"u8,
            QoS = QoS.ExactlyOnce,
            Retain = true,
            ExpiresAtMs = 1234,
            Origin = 0xABCDEF,
        });
        LogCursor cursor = log.Seek(default, out bool lost);
        Assert.False(lost);
        Assert.Equal(LogReading.Record, log.TryRead(ref cursor, out LogRecord record));
        Assert.Equal("t/1"u8, record.Topic);
        Assert.Equal("pp"u8, record.Properties);
        Assert.Equal("body"u8, record.Payload);
        Assert.Equal(QoS.ExactlyOnce, record.QoS);
        Assert.True(record.Retain);
        Assert.Equal(1234, record.ExpiresAtMs);
        Assert.Equal(0xABCDEFul, record.Origin);
        Assert.Equal(LogReading.Tail, log.TryRead(ref cursor, out _));
    }

    [Fact]
    public void A_raised_term_keeps_positions_in_order_and_loses_nothing()
    {
        MemoryGroupLog log = Log();
        Append(log, "a");
        log.RaiseTermAbove(6);
        Assert.Equal(7ul, log.Term);
        log.RaiseTermAbove(20);
        Assert.Equal(new LogPosition(21, 0), log.Tail);
        log.RaiseTermAbove(21);
        Append(log, "b");
        Assert.Equal(["7:1 a", "22:1 b"], Read(log, default));
        Assert.Equal(["22:1 b"], Read(log, new LogPosition(7, 1)));
        Assert.Equal(["22:1 b"], Read(log, new LogPosition(21, 0)));
        log.Seek(new LogPosition(21, 0), out bool lost);
        Assert.False(lost);
    }

    [Fact]
    public void When_memory_is_short_the_log_gives_back_faster_than_it_takes_down_to_its_last_blocks()
    {
        MemoryGroupLog log = Log(new BrokerOptions { LogBlockBytes = 4096 });
        string payload = new('x', 1000);
        for (int n = 0; n < 1_000; n++)
        {
            Append(log, payload);
        }

        Assert.Equal(0, log.Dropped);
        _loop.Memory.Level = MemoryLevel.Low;
        long bytes = log.Bytes;
        Append(log, payload);
        Assert.Equal(bytes, log.Bytes);
        Assert.Equal(1, log.Dropped);
        _loop.Memory.Level = MemoryLevel.Short;
        Append(log, payload);
        Assert.Equal(65, log.Dropped);
        for (int n = 0; n < 100; n++)
        {
            Append(log, payload);
        }

        Assert.InRange(log.Bytes, 15 * 4096, 17 * 4096);
        long dropped = log.Dropped;
        _loop.Memory.Level = MemoryLevel.Ample;
        Append(log, payload);
        Assert.Equal(dropped, log.Dropped);
    }

    [Fact]
    public void While_memory_is_low_the_log_gives_back_without_an_append_until_it_is_ample()
    {
        MemoryGroupLog log = Log(new BrokerOptions { LogBlockBytes = 4096 });
        for (int n = 0; n < 1_000; n++)
        {
            Append(log, new string('x', 1000));
        }

        long bytes = log.Bytes;
        log.OnTick();
        Assert.Equal(bytes, log.Bytes);
        _loop.Memory.Level = MemoryLevel.Low;
        log.OnTick();
        Assert.InRange(log.Bytes, bytes * 14 / 16, bytes * 15 / 16);
        for (int n = 0; n < 100; n++)
        {
            log.OnTick();
        }

        Assert.InRange(log.Bytes, 15 * 4096, 16 * 4096);
        _loop.Memory.Level = MemoryLevel.Ample;
        bytes = log.Bytes;
        log.OnTick();
        Assert.Equal(bytes, log.Bytes);
    }

    [Theory]
    [InlineData(3, 0, true, "7:1 a")]
    [InlineData(7, 9, true, "22:1 b")]
    [InlineData(9, 1, true, "22:1 b")]
    [InlineData(22, 1, false, null)]
    [InlineData(50, 1, true, null)]
    public void A_position_of_another_run_is_known_as_such(ulong term, ulong offset, bool lost, string? next)
    {
        MemoryGroupLog log = Log();
        Append(log, "a");
        log.RaiseTermAbove(21);
        Append(log, "b");
        log.Seek(new LogPosition(term, offset), out bool mayHaveLost);
        Assert.Equal(lost, mayHaveLost);
        Assert.Equal(next, Read(log, new LogPosition(term, offset)).FirstOrDefault());
    }

    [Fact]
    public void The_oldest_is_dropped_at_either_limit_and_a_cursor_left_behind_is_told()
    {
        MemoryGroupLog log = Log(new BrokerOptions { LogMaximumMessages = 3 });
        Append(log, "a");
        LogCursor cursor = log.Seek(default, out _);
        log.TryRead(ref cursor, out _);
        foreach (string payload in new[] { "b", "c", "d", "e" })
        {
            Append(log, payload);
        }

        Assert.Equal(3, log.Messages);
        Assert.Equal(2, log.Dropped);
        Assert.Equal(new LogPosition(7, 2), log.Start);
        Assert.Equal(LogReading.Lost, log.TryRead(ref cursor, out _));
        Assert.Equal(LogReading.Record, log.TryRead(ref cursor, out LogRecord record));
        Assert.Equal(new LogPosition(7, 3), record.Position);
        log.Seek(new LogPosition(7, 1), out bool lost);
        Assert.True(lost);
        log.Seek(new LogPosition(7, 2), out lost);
        Assert.False(lost);
    }

    [Fact]
    public void A_message_larger_than_a_segment_has_one_of_its_own()
    {
        MemoryGroupLog log = Log(new BrokerOptions { LogBlockBytes = 4096 });
        Append(log, "a");
        Append(log, new string('x', 10_000));
        Append(log, "b");
        Assert.Equal(3, Read(log, default).Length);
    }

    [Fact]
    public void Numbers_are_remembered_over_connections_and_forgotten_at_their_limits()
    {
        MemoryGroupLog log = Log(new BrokerOptions { ProducersMaximum = 2, ProducerMemoryMs = 10_000 });
        LogProducer first = log.Acquire("n", 1);
        log.Append(new LogRecord { Topic = "t"u8, QoS = QoS.AtLeastOnce, ExpiresAtMs = long.MaxValue, Producer = first, Number = 5 });
        Assert.True(first.Has(5) && first.Has(1) && !first.Has(6));
        Assert.Equal(new LogPosition(7, 1), first.LastPosition);
        log.Release(first);
        Assert.Same(first, log.Acquire("n", 1));
        log.Release(first);
        log.Acquire("n", 2);
        log.Acquire("n", 3);
        Assert.Equal(1, log.ProducersForgotten);
        Assert.Equal(0ul, log.Acquire("n", 1).LastNumber);
        LogProducer second = log.Acquire("m", 1);
        log.Release(second);
        Assert.Equal(2, log.ProducersForgotten);
    }

    [Fact]
    public void Numbers_of_a_link_that_is_gone_too_long_are_forgotten()
    {
        MemoryGroupLog log = Log(new BrokerOptions { ProducerMemoryMs = 10_000 });
        LogProducer first = log.Acquire("n", 1);
        log.Release(first);
        _loop.Advance(TimeSpan.FromSeconds(11));
        log.Acquire("m", 1);
        Assert.Equal(1, log.ProducersForgotten);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(20261121)]
    public void Random_histories_agree_with_a_model(int seed)
    {
        var random = new Random(seed);
        var options = new BrokerOptions { LogBlockBytes = 4096, LogMaximumBytes = 64 * 1024, LogMaximumMessages = 400 };
        MemoryGroupLog log = Log(options);
        var model = new List<(LogPosition Position, string Payload, int Size)>();
        var cursors = new List<LogCursor>();
        ulong term = 7;
        ulong offset = 0;
        for (int step = 0; step < 5_000; step++)
        {
            switch (random.Next(20))
            {
                case 0:
                    ulong known = term + (ulong)random.Next(3) - 1;
                    log.RaiseTermAbove(known);
                    (term, offset) = known >= term ? (known + 1, 0) : (term, offset);
                    break;
                case < 5:
                    LogPosition from = model.Count == 0 ? log.Tail : model[random.Next(model.Count)].Position;
                    Assert.True(Read(log, from).SequenceEqual(model.Where(entry => entry.Position > from).Select(Text)), $"seed {seed} step {step}");
                    break;
                case 5:
                    cursors.Add(log.Seek(log.Tail, out _));
                    break;
                case < 9 when cursors.Count > 0:
                    int index = random.Next(cursors.Count);
                    LogCursor cursor = cursors[index];
                    CheckStep(log, model, ref cursor, $"seed {seed} step {step}");
                    cursors[index] = cursor;
                    break;
                default:
                    string payload = new('x', random.Next(600));
                    Append(log, payload);
                    int size = RecordFrame.HeaderBytes + 1 + payload.Length;
                    while (model.Count > 0 && (model.Count >= 400 || model.Sum(entry => entry.Size) + size > 64 * 1024))
                    {
                        model.RemoveAt(0);
                    }

                    model.Add((new LogPosition(term, ++offset), payload, size));
                    break;
            }

            Assert.True(log.Messages == model.Count && log.Bytes == model.Sum(entry => entry.Size), $"seed {seed} step {step}");
        }
    }

    private static void CheckStep(MemoryGroupLog log, List<(LogPosition Position, string Payload, int Size)> model, ref LogCursor cursor, string at)
    {
        LogPosition before = cursor.Position;
        LogReading reading = log.TryRead(ref cursor, out LogRecord record);
        (LogPosition Position, string Payload, int Size) next = model.FirstOrDefault(entry => entry.Position > before);
        switch (reading)
        {
            case LogReading.Tail:
                Assert.True(next.Payload is null, at);
                break;
            case LogReading.Lost:
                Assert.True(cursor.Position > before && cursor.Position < model[0].Position, at);
                break;
            default:
                Assert.True(next.Position == record.Position && next.Payload.Length == record.Payload.Length, at);
                break;
        }
    }

    private static string Text((LogPosition Position, string Payload, int Size) entry) => $"{entry.Position} {entry.Payload}";

    private MemoryGroupLog Log(BrokerOptions? options = null) => new(_loop, options ?? new BrokerOptions(), term: 7);

    private static LogPosition Append(MemoryGroupLog log, string payload) =>
        log.Append(new LogRecord { Topic = "t"u8, Payload = Encoding.UTF8.GetBytes(payload), QoS = QoS.AtLeastOnce, ExpiresAtMs = long.MaxValue });

    private static string[] Read(MemoryGroupLog log, LogPosition after)
    {
        var read = new List<string>();
        LogCursor cursor = log.Seek(after, out _);
        while (log.TryRead(ref cursor, out LogRecord record) == LogReading.Record)
        {
            read.Add($"{record.Position} {Encoding.UTF8.GetString(record.Payload)}");
        }

        return [.. read];
    }
}
