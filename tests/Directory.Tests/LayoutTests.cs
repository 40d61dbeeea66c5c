using System.Reflection;
using System.Text;
using StackExchange.Redis;

namespace Trunkline.Directory.Tests;

/// <summary>The layout is a contract with running tiers: a change that fails here needs a new schema number.</summary>
public sealed class LayoutTests
{
    [Fact]
    public void All_keys_of_one_script_share_a_slot()
    {
        var keys = new RedisKeys("tl");
        string[] ids = ["a", "b{x}", "}{", "{}", "", "é🎈"];
        List<RedisKey[]> sets = [keys.State(), keys.Tier(), keys.Slots()];
        for (int bucket = 0; bucket < Bucket.Count; bucket++)
        {
            sets.Add(keys.Meta(bucket));
            sets.Add(keys.MetaAndAt(bucket));
            sets.Add(keys.Due(bucket));
            sets.Add(keys.Sessions(bucket, ids));
        }

        sets.AddRange(ids.Select(keys.Session));
        foreach (RedisKey[] set in sets)
        {
            Assert.Single(set.Select(k => SlotOf((string)k!)).Distinct());
        }

        // Every method that makes keys is in the list above.
        string[] makers = [.. typeof(RedisKeys).GetMethods(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
            .Where(m => m.ReturnType == typeof(RedisKey[])).Select(m => m.Name).Order()];
        Assert.Equal(["Due", "Meta", "MetaAndAt", "Session", "Sessions", "Slots", "State", "Tier"], makers);
        Assert.True(sets.Select(s => SlotOf((string)s[0]!)).Distinct().Count() > 900, "buckets spread over the slots");
    }

    [Fact]
    public void Slots_are_those_of_redis() => Assert.Equal(12_739, Crc16("123456789"u8) % 16_384);

    [Fact]
    public void Keys_and_buckets_stay_where_they_are()
    {
        var keys = new RedisKeys("tl");
        Assert.Equal("{tl1:tier}:state", keys.State()[0]);
        Assert.Equal("{tl1:b0042}:meta", keys.Meta(42)[0]);
        Assert.Equal(["{tl1:b0042}:meta", "{tl1:b0042}:at", "{tl1:b0042}:due", "{tl1:b0042}:wills", "{tl1:b0042}:s:x"], keys.Sessions(42, ["x"]).Select(k => (string)k!));
        Assert.Equal("{tl1:tier}:cp", keys.Tier()[6]);
        Assert.Equal("tl1:node:00000000000000ff", (string)keys.Node(new NodeId(255))!);
        Assert.Equal([755, 102, 793, 12], new[] { "", "a", "device-1", "é🎈" }.Select(Bucket.Of));
    }

    [Fact]
    public void Buckets_are_even()
    {
        int[] counts = new int[Bucket.Count];
        for (int i = 0; i < 100 * Bucket.Count; i++)
        {
            counts[Bucket.Of("device-" + i)]++;
        }

        Assert.InRange(counts.Min(), 50, 100);
        Assert.InRange(counts.Max(), 100, 160);
    }

    [Fact]
    public void Scripts_have_one_name_each_and_declare_what_they_touch()
    {
        RedisScript[] scripts = [.. typeof(RedisScripts).GetFields(BindingFlags.Static | BindingFlags.NonPublic).Select(f => (RedisScript)f.GetValue(null)!)];
        Assert.True(scripts.Length >= 17);
        Assert.Equal(scripts.Length, scripts.Select(s => s.Name).Distinct().Count());
        foreach (RedisScript script in scripts)
        {
            // Each command's first argument after its name is a declared key; INFO and TIME have none.
            foreach (string call in script.Text.Split("redis.call(").Skip(1))
            {
                Assert.True(call.StartsWith("'TIME'", StringComparison.Ordinal) || call.StartsWith("'INFO'", StringComparison.Ordinal)
                    || call.Split(',')[1].TrimStart().StartsWith("KEYS[", StringComparison.Ordinal), script.Name + ": " + call.Split('\n')[0]);
            }
        }
    }

    private static int SlotOf(string key)
    {
        int open = key.IndexOf('{', StringComparison.Ordinal);
        int close = open < 0 ? -1 : key.IndexOf('}', open + 1);
        string hashed = close > open + 1 ? key[(open + 1)..close] : key;
        return Crc16(Encoding.UTF8.GetBytes(hashed)) % 16_384;
    }

    private static ushort Crc16(ReadOnlySpan<byte> bytes)
    {
        ushort crc = 0;
        foreach (byte b in bytes)
        {
            crc ^= (ushort)(b << 8);
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (ushort)((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
            }
        }

        return crc;
    }
}
