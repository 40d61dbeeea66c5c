using Xunit.Abstractions;

namespace Trunkline.Sessions.Tests.State;

/// <summary>What is written is read again; what is damaged is told as a value, whatever its bytes.</summary>
public sealed class SessionStateCodecTests(ITestOutputHelper output)
{
    private const int Seed = 4_0007;

    [Fact]
    public void A_state_is_read_as_it_was_written()
    {
        Random random = Seeded();
        for (int i = 0; i < 2_000; i++)
        {
            SessionState state = States.Random(random);
            List<StoredField> fields = SessionStateCodec.Encode(state);
            random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(fields));

            SessionStateReading reading = SessionStateCodec.Decode(fields);

            Assert.Empty(reading.Damage);
            Assert.True(reading.IsWhole);
            Assert.Equal(States.Text(state), States.Text(reading.State));
        }
    }

    [Fact]
    public void Nothing_stored_is_a_session_that_holds_nothing()
    {
        SessionStateReading reading = SessionStateCodec.Decode([]);
        Assert.True(reading.IsWhole);
        Assert.Equal(States.Text(SessionState.Empty), States.Text(reading.State));
    }

    [Fact]
    public void A_field_cut_off_anywhere_is_damage_and_nothing_else()
    {
        Random random = Seeded();
        for (int i = 0; i < 100; i++)
        {
            foreach (StoredField field in SessionStateCodec.Encode(States.Random(random)))
            {
                for (int length = 0; length < field.Value.Length; length++)
                {
                    AssertSetAside(field with { Value = field.Value[..length] }, FieldDamageKind.Damaged);
                }

                AssertSetAside(field with { Value = (byte[])[1, .. field.Value.Span[1..], 0] }, FieldDamageKind.Damaged);
            }
        }
    }

    [Fact]
    public void A_mutated_field_is_damage_or_reads_as_what_would_be_written_the_same()
    {
        Random random = Seeded();
        for (int i = 0; i < 20_000; i++)
        {
            List<StoredField> fields = SessionStateCodec.Encode(States.Random(random));
            int place = random.Next(fields.Count);
            byte[] bytes = fields[place].Value.ToArray();
            for (int changes = random.Next(1, 4); changes > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            fields[place] = fields[place] with { Value = bytes };

            SessionStateReading reading = SessionStateCodec.Decode(fields);

            if (reading.Damage.Count == 0)
            {
                List<StoredField> again = SessionStateCodec.Encode(reading.State);
                StoredField same = again.Single(field => field.Name == fields[place].Name);
                Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(same.Value.Span));
            }
            else
            {
                Assert.Equal(fields[place].Name, Assert.Single(reading.Damage).Name);
                Assert.Equal(fields.Count - 1, Count(reading.State, reading));
            }
        }
    }

    [Fact]
    public void Noise_under_any_name_never_throws()
    {
        Random random = Seeded();
        string[] names = ["m", "p", "w", "f:a/b", "f:", "f:#/a", "f:$share/x", "o:1", "o:0", "o:01", "o:-1", "o:65536", "o:x", "q:7", "q:", "z", "", "f:\ud800"];
        for (int i = 0; i < 50_000; i++)
        {
            var bytes = new byte[random.Next(40)];
            random.NextBytes(bytes);
            if (bytes.Length > 0 && random.Next(4) > 0)
            {
                bytes[0] = SessionStateCodec.Version;
            }

            SessionStateReading reading = SessionStateCodec.Decode([new StoredField(names[random.Next(names.Length)], bytes)]);
            Assert.InRange(reading.Damage.Count, 0, 1);
        }
    }

    [Fact]
    public void A_newer_version_is_set_aside_under_its_own_name()
    {
        foreach (StoredField field in SessionStateCodec.Encode(States.Random(Seeded())))
        {
            AssertSetAside(field with { Value = (byte[])[SessionStateCodec.SharedVersion + 1, .. field.Value.Span[1..]] }, FieldDamageKind.Newer);
        }
    }

    [Theory]
    [InlineData("m", false)]
    [InlineData("p", false)]
    [InlineData("f:a/b", false)]
    [InlineData("w", true)]
    [InlineData("o:7", true)]
    [InlineData("q:7", true)]
    [InlineData("x:newer", true)]
    public void A_session_is_present_only_when_its_filters_and_positions_are(string name, bool expected) =>
        Assert.Equal(expected, SessionStateCodec.Decode([new StoredField(name, new byte[] { 0 })]).IsWhole);

    [Fact]
    public void In_flight_comes_back_in_the_order_of_sending_across_the_wrap_of_packet_identifiers()
    {
        OutgoingState[] sent = [Sent(65_534, 10), Sent(65_535, 11), Sent(1, 12), Sent(2, 13)];
        IEnumerable<StoredField> stored = sent.Select(SessionStateCodec.Encode).OrderBy(field => field.Name, StringComparer.Ordinal);
        Assert.Equal([65_534, 65_535, 1, 2], SessionStateCodec.Decode(stored).State.Outgoing.Select(message => (int)message.PacketId));
    }

    [Fact]
    public void What_was_skipped_is_read_as_it_was_written_and_cut_off_anywhere_it_is_damage_that_no_session_fails_by()
    {
        LogRange[] skipped =
        [
            new(0, new LogPosition(1, 0), new LogPosition(1, 300)),
            new(0, new LogPosition(1, 301), new LogPosition(70_000, 2)),
            new(12, LogPosition.None, new LogPosition(ulong.MaxValue, ulong.MaxValue)),
        ];
        Assert.DoesNotContain(SessionStateCodec.Encode(SessionState.Empty), field => field.Name == SessionStateCodec.SkippedName);
        StoredField field = Assert.Single(
            SessionStateCodec.Encode(SessionState.Empty with { Skipped = skipped }), field => field.Name == SessionStateCodec.SkippedName);
        Assert.Equal(skipped, SessionStateCodec.Decode([field]).State.Skipped);
        for (int length = 0; length < field.Value.Length; length++)
        {
            SessionStateReading reading = SessionStateCodec.Decode([field with { Value = field.Value[..length] }]);
            Assert.Equal(FieldDamageKind.Damaged, Assert.Single(reading.Damage).Kind);
            Assert.Empty(reading.State.Skipped);
            Assert.True(reading.IsWhole);
        }

        StoredField empty = SessionStateCodec.EncodeSkipped([new LogRange(0, new LogPosition(1, 5), new LogPosition(1, 5))]);
        AssertSetAside(empty, FieldDamageKind.Damaged);
    }

    [Fact]
    public void A_message_that_nothing_can_bring_back_is_damage()
    {
        StoredField field = SessionStateCodec.Encode(Sent(7, 1) with { Group = -1, Position = default });
        AssertSetAside(field, FieldDamageKind.Damaged);
    }

    private static OutgoingState Sent(ushort packetId, ulong order) =>
        new() { PacketId = packetId, Order = order, QoS = QoS.AtLeastOnce, Group = 0, Position = new LogPosition(1, order) };

    private static void AssertSetAside(StoredField field, FieldDamageKind kind)
    {
        SessionStateReading reading = SessionStateCodec.Decode([field]);
        Assert.Equal([new FieldDamage(field.Name, kind)], reading.Damage);
        Assert.Equal(States.Text(SessionState.Empty), States.Text(reading.State));
    }

    private static int Count(SessionState state, SessionStateReading reading) =>
        state.Subscriptions.Count + state.Outgoing.Count + state.Incoming.Count + (state.Will is null ? 0 : 1)
        + (reading.Damage.Any(damage => damage.Name is SessionStateCodec.MetaName or SessionStateCodec.PositionsName) ? 1 : 2);

    private Random Seeded()
    {
        output.WriteLine($"Seed {Seed}.");
        return new Random(Seed);
    }
}
