using System.Text;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Directory.Tests;

/// <summary>
/// A Redis as a released version left it (Golden/*.txt: the commands that make it so): this version reads all of it, takes
/// up what its nodes held, and goes on. A layout that changes gets a schema number and a file of its own; the old files stay.
/// </summary>
public sealed class GoldenRedisTests
{
    private const uint Hour = 3_600;

    [Fact]
    public async Task What_a_released_version_left_is_read_and_taken_up()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        foreach (string command in Read("6372db9-redis.txt").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.False((await server.CommandAsync(command)).StartsWith('-'), command);
        }

        await using var tier = new TestTier(server, "t");
        var (node, events) = await tier.JoinAsync("newer");

        // The node that left it so does not beat any more: it is dead, and its checkpoint serves.
        RecordingEvents.Gone gone = await events.NextAsync<RecordingEvents.Gone>();
        Assert.Equal(("older", NodeGoneReason.Dead), (gone.Node.Name, gone.Reason));
        await Eventually.HoldsAsync(async () => (await node.LookUpAsync("held")).Value.Token.IsNone, "what it held is detached");
        StoredSession held = await node.MustReadAsync("held");
        Assert.Equal("f:a/#=filter,m=\u0001m,o:7=out,p=pos,q:9=in,w=bye held", held.Text());
        Assert.Equal([new LogPosition(7, 8), new LogPosition(9, 10)], held.Checkpoint!);
        Assert.Equal(Hour * 24 * 365 * 50, held.ExpirySeconds);
        StoredSession behind = await node.MustReadAsync("behind");
        Assert.Equal([new LogPosition(7, 1), new LogPosition(9, 2)], behind.Checkpoint!);
        StoredSession away = await node.MustReadAsync("away");
        Assert.Equal("f:b=filter,m=\u0001m,p=last", away.Text());
        Assert.True(away.Token.IsNone);
        Assert.Null(away.WillDelaySeconds);

        // Its wills are due, each once; sessions that were over by then go.
        foreach ((string clientId, string will) in ((string, string)[])[("held", "bye held"), ("clean", "bye clean"), ("sent", "bye sent")])
        {
            await Eventually.HoldsAsync(async () => (await node.DueAsync(clientId)).Any(item => item.Kind == DueKind.Will), $"the will of {clientId} is due");
            DueItem due = Assert.Single(await node.DueAsync(clientId), item => item.Kind == DueKind.Will);
            Assert.Equal(will, due.Will.Text());
            await node.FinishDueAsync(due).MustAsync();
            Assert.DoesNotContain(await node.DueAsync(clientId), item => item.Kind == DueKind.Will);
        }

        Assert.Equal(DueKind.Expiry, Assert.Single(await node.DueAsync("ended")).Kind);
        Assert.Equal(SlotMap.Even(2, 3), (await node.ReadSlotMapAsync()).Value);
        Claim claim = await node.MustClaimAsync("held", SessionChange.None, 1);
        Assert.True(claim.SessionExists);

        // The group's log: every entry, repeats and ids known. They are old by now: nothing is given up for its age here.
        await using var streams = new StreamHarness(server, new GroupStreamOptions { MaximumAgeSeconds = int.MaxValue, ProducerMemorySeconds = int.MaxValue });
        GroupStream stream = await streams.OpenAsync();
        Assert.Equal(["one", "two", "named"], await StreamHarness.ReadAllAsync(stream));
        Assert.Equal(0, (await StreamHarness.AppendAsync(stream, "n/1", 0, 1, "one", "two")).Added);
        await stream.AppendAsync(new StreamBatch("n/2", 0, 1, [new StreamEntry(Encoding.UTF8.GetBytes("named again"), "will:dev:17")], default));
        Assert.Equal(1, (await StreamHarness.AppendAsync(stream, "n/1", 2, 3, "three")).Added);
        Assert.Equal(["one", "two", "named", "three"], await StreamHarness.ReadAllAsync(stream));
    }

    /// <summary>Checkpoints in bytes, both ways.</summary>
    [Fact]
    public void A_checkpoint_is_read_and_written_as_it_was()
    {
        byte[] golden = Convert.FromHexString(Read("6372db9-checkpoint.txt"));
        NodeCheckpoint? read = PositionWire.ReadCheckpoint(golden);
        Assert.NotNull(read);
        Assert.Equal((9, "1.2 3.4"), (read.AttachNumber, Text(read.Positions)));
        Assert.Equal(["é=5.6 7.8", "nothing="], read.Laggards.Select(laggard => $"{laggard.ClientId}={Text(laggard.Positions)}"));
        Assert.Equal(golden, PositionWire.Write(read));
    }

    private static string Text(IReadOnlyList<LogPosition> positions) => string.Join(' ', positions.Select(position => $"{position.Term}.{position.Offset}"));

    private static string Read(string file)
    {
        using Stream? stream = typeof(GoldenRedisTests).Assembly.GetManifestResourceStream($"Golden.{file}");
        Assert.True(stream is not null, $"There is no {file}.");
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
