using Trunkline.Broker.Tests.Support;
using Trunkline.Sessions;

namespace Trunkline.Broker.Tests.Logs;

/// <summary>Who has more than its share of the log loses first; in memory and in files alike.</summary>
public sealed class TenantTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_quiet_tenant_keeps_everything_beside_one_that_is_a_hundred_times_as_busy(bool onDisk)
    {
        TenantHarness log = Overflow(onDisk, 20_000, n => n % 101 == 0 ? "quiet/a" : "hot/b");
        List<(LogPosition Position, string Topic)> left = log.Read(out int losses);
        Assert.Equal(log.Of("quiet"), left.Where(message => message.Topic == "quiet/a").Select(message => message.Position));
        LogPosition[] hot = [.. left.Where(message => message.Topic == "hot/b").Select(message => message.Position)];
        Assert.Equal(log.Of("hot")[^hot.Length..], hot);
        Assert.InRange(hot.Length, 500, 2_000);
        Assert.True(losses > 0);
        Assert.InRange(log.Log.Bytes, 0, log.Options.LogMaximumBytes);
        Assert.Equal(left.Count, log.Log.Messages);
        Assert.Equal(log.All.Count - left.Count, log.Log.Dropped);
        Assert.InRange(log.Log.DroppedOverShare, log.Log.Dropped / 2, log.Log.Dropped);
        Assert.Equal(2, log.Log.Tenants);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Without_tenants_or_with_one_the_oldest_goes_first(bool onDisk)
    {
        foreach (BrokerOptions options in new[] { TenantHarness.Small with { TenantLevels = 0 }, TenantHarness.Small })
        {
            using var folder = new TempFolder();
            var log = new TenantHarness(onDisk ? folder.Path : null, options);
            for (int n = 0; n < 5_000; n++)
            {
                log.Append(options.TenantLevels == 0 ? $"t{n % 7}" : $"one/{n % 7}");
            }

            log.Settle();
            LogPosition[] left = [.. log.Read(out int losses).Select(message => message.Position)];
            Assert.Equal(log.All.Keys.TakeLast(left.Length), left);
            Assert.Equal(0, losses);
            Assert.InRange(log.Log.Bytes, log.Options.LogMaximumBytes / 2, log.Options.LogMaximumBytes);
            Assert.Equal(0, log.Log.DroppedOverShare);
        }
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(20261125, true)]
    public void Whoever_is_within_its_share_keeps_everything_and_the_limit_holds(int seed, bool onDisk)
    {
        var random = new Random(seed);
        double[] weights = [1, 2, 5, 40, 60, 200];
        var log = new TenantHarness(onDisk ? _folder.Path : null);
        LogCursor cursor = log.Log.Seek(default, out _);
        LogPosition last = default;
        for (int n = 0; n < 15_000; n++)
        {
            double draw = random.NextDouble() * weights.Sum();
            int tenant = 0;
            while (draw > weights[tenant])
            {
                draw -= weights[tenant++];
            }

            log.Append($"t{tenant}/{random.Next(3)}", random.Next(200));

            // A reader that stands anywhere goes on in order, whatever is written anew under it.
            if (random.Next(4) == 0 && log.Log.TryRead(ref cursor, out LogRecord record) == LogReading.Record)
            {
                Assert.True(record.Position > last, $"seed {seed} message {n}");
                Assert.Equal(log.All[record.Position].Topic.Length, record.Topic.Length);
                last = record.Position;
            }

            Assert.True(log.Log.Bytes <= log.Options.LogMaximumBytes + (3 * log.Options.LogSegmentBytes), $"seed {seed} message {n}");
        }

        log.Settle();
        ILookup<string, LogPosition> left = log.Read(out _).ToLookup(message => TenantHarness.TenantOf(message.Topic), message => message.Position);
        foreach (string quiet in new[] { "t0", "t1", "t2" })
        {
            Assert.True(log.Of(quiet).SequenceEqual(left[quiet]), $"seed {seed}: {quiet} has {left[quiet].Count()} of {log.Of(quiet).Length}");
        }

        foreach (string busy in new[] { "t3", "t4", "t5" })
        {
            // The busy end near one another, and what they have are their newest but for odd remains.
            LogPosition[] has = [.. left[busy]];
            Assert.InRange(has.Length, 200, 1_200);
            Assert.True(log.Of(busy).TakeLast(has.Length / 2).SequenceEqual(has.TakeLast(has.Length / 2)), $"seed {seed}: {busy}");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Tenants_beyond_the_maximum_are_accounted_together_and_two_levels_can_name_one(bool onDisk)
    {
        BrokerOptions options = TenantHarness.Small with { TenantsMaximum = 3, TenantLevels = 2 };
        var log = new TenantHarness(onDisk ? _folder.Path : null, options);
        for (int n = 0; n < 10_000; n++)
        {
            log.Append(n % 100 == 0 ? "a/quiet/x" : n < 300 ? $"a/t{n % 2}/y" : $"a/many{n % 50}");
        }

        log.Settle();
        Assert.InRange(log.Log.Tenants, 2, 4);
        Assert.True(log.Log.TenantsTogether > 5_000);
        Assert.Equal(100, log.Read(out _).Count(message => message.Topic == "a/quiet/x"));
        Assert.InRange(log.Log.Bytes, 0, log.Options.LogMaximumBytes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_limit_in_messages_takes_from_the_busy_too(bool onDisk)
    {
        BrokerOptions options = TenantHarness.Small with { LogMaximumMessages = 2_000, LogMaximumBytes = 1 << 30 };
        var log = new TenantHarness(onDisk ? _folder.Path : null, options);
        for (int n = 0; n < 12_000; n++)
        {
            log.Append(n % 101 == 0 ? "quiet/a" : "hot/b");
        }

        log.Settle();
        Assert.Equal(119, log.Read(out _).Count(message => message.Topic == "quiet/a"));
        Assert.InRange(log.Log.Messages, 1_000, 2_001);
    }

    private TenantHarness Overflow(bool onDisk, int messages, Func<int, string> topic)
    {
        var log = new TenantHarness(onDisk ? _folder.Path : null);
        for (int n = 0; n < messages; n++)
        {
            log.Append(topic(n));
        }

        log.Settle();
        return log;
    }
}
