using System.Text;

namespace Trunkline.Sessions.Tests.State;

/// <summary>
/// Sessions as released versions wrote them (Golden/*.txt: fields in hex, then what they say): this one reads them whole, and
/// writes the same bytes. A format that changes gets a version number and a file of its own; the old files stay.
/// </summary>
public sealed class GoldenRecordTests
{
    /// <summary>What 6372db9 wrote of these seeds; both proxies of an upgrade work on one Redis.</summary>
    public static TheoryData<string, int> Files => new() { { "6372db9-1.txt", 1 }, { "6372db9-2.txt", 2 }, { "6372db9-3.txt", 3 }, { "6372db9-4.txt", 4 } };

    [Theory]
    [MemberData(nameof(Files))]
    public void What_a_released_version_wrote_is_read_whole(string file, int seed)
    {
        string[] parts = Read(file).Split("\n\n", 2);
        StoredField[] fields = [.. parts[0].Split('\n').Select(line => line.Split(' '))
            .Select(words => new StoredField(Encoding.UTF8.GetString(Convert.FromHexString(words[0])), Convert.FromHexString(words[1])))];
        SessionStateReading reading = SessionStateCodec.Decode(fields);
        Assert.Empty(reading.Damage);
        Assert.True(reading.IsWhole, $"seed {seed}");
        Assert.Equal(parts[1], Text(reading.State));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void This_version_writes_what_it_did(string file, int seed)
    {
        SessionState state = StateOf(seed);
        string written = string.Join('\n', SessionStateCodec.Encode(state)
            .Select(field => $"{Convert.ToHexString(Encoding.UTF8.GetBytes(field.Name))} {Convert.ToHexString(field.Value.Span)}"));
        string expected = Read(file);
        Assert.True(written + "\n\n" + Text(state) == expected, $"{file} would be:\n{written}\n\n{Text(state)}");
    }

    /// <summary>Every kind of field.</summary>
    private static SessionState StateOf(int seed)
    {
        Random random = new(6_372_000 + seed);
        SessionState state = States.Random(random);
        return state with
        {
            Will = state.Will ?? States.Will(random),
            Outgoing = [.. Enumerable.Range(0, 6).Select(n => States.Outgoing(random, n % 3) with { PacketId = (ushort)(n + 1), Order = (ulong)n })],
            Subscriptions = [.. Enumerable.Range(0, 4).Select(n => States.Subscription(random, n))],
            Incoming = [.. Enumerable.Range(0, 2).Select(n => States.Incoming(random, n))],
            AwaySince = DateTimeOffset.UnixEpoch.AddMilliseconds(random.NextInt64(2_000_000_000_000)),
        };
    }

    private static string Text(SessionState state) => $"{state.AwaySince:O}\n{States.Text(state)}".TrimEnd();

    private static string Read(string file)
    {
        using Stream? stream = typeof(GoldenRecordTests).Assembly.GetManifestResourceStream($"Golden.{file}");
        Assert.True(stream is not null, $"There is no {file}.");
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd().TrimEnd();
    }
}
