using System.Globalization;
using Trunkline.Broker.Tests.Support;
using Trunkline.Sessions;

namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>
/// Recovers what a power cut at a moment may have left, and holds it against what was acknowledged before the moment, and against what a
/// mere kill would have left: what retention had dropped by then is missing in both.
/// </summary>
/// <param name="load">What was sent.</param>
/// <param name="recording">What was recorded of it.</param>
/// <param name="isSynced">Whether only what was acknowledged before a sync that has ended must be there, as with <c>os</c>; else all.</param>
internal sealed class PowerCutJudge(PowerCutLoad load, DiskRecording recording, bool isSynced = false)
{
    private const int SentAgain = 4;
    private readonly Acknowledgements _acknowledgements = new(recording.Sends);

    /// <summary>What is wrong at a moment; null for nothing.</summary>
    public string? Judge(long moment, int seed)
    {
        using TempFolder cut = TempFolder.InMemory();
        CrashImage.WriteCut(recording, moment, new Random(seed), cut.Path);
        return Judge(moment, cut);
    }

    /// <summary>The same of what another power cut left, before anything more was acknowledged.</summary>
    public string? Judge(long moment, TempFolder cut)
    {
        using TempFolder killed = TempFolder.InMemory();
        CrashImage.WriteKilled(recording, moment, killed.Path);
        List<(string Name, LogPosition Position)> reference = MessagesIn(killed.Path);
        try
        {
            return Judge(new RecoveredGroup(cut.Path), cut, reference, Promised(moment));
        }
        catch (StoreException refused)
        {
            return $"recovery refuses: {refused.Message}";
        }
    }

    /// <summary>Moments to look at: anywhere, and around changes of names.</summary>
    public long MomentOf(Random random) => random.Next(2) == 0
        ? random.NextInt64(recording.End + 1)
        : recording.NameChanges[random.Next(recording.NameChanges.Count)] + random.Next(-2, 8);

    /// <summary>Acknowledgements up to here count.</summary>
    public long Promised(long moment) =>
        isSynced ? recording.LogSyncs.Where(sync => sync.End <= moment).Select(sync => sync.Begin).DefaultIfEmpty(-1).Max() : moment;

    /// <summary>How many messages were acknowledged by a moment.</summary>
    public int CountAcknowledged(long moment) =>
        load.Publishers.Sum(publisher => publisher.Sent.Count(message => _acknowledgements.HadLeft(message, moment)));

    private static List<(string Name, LogPosition Position)> MessagesIn(string disk)
    {
        var group = new RecoveredGroup(disk);
        List<(string Name, LogPosition Position)> messages = group.Messages();
        group.Stop();
        return messages;
    }

    private string? Judge(RecoveredGroup group, TempFolder disk, List<(string Name, LogPosition Position)> reference, long moment)
    {
        try
        {
            List<(string Name, LogPosition Position)> recovered = group.Messages();
            return WrongInLog(recovered, reference, moment)
                ?? (group.Term > _acknowledgements.HighestTerm(moment) ? null : $"term {group.Term} begins, {_acknowledgements.HighestTerm(moment)} was acknowledged in")
                ?? WrongRetained(group.Retained(), moment)
                ?? WrongWhenSentAgain(group, recovered, moment)
                ?? WrongAfterKill(group, disk);
        }
        finally
        {
            group.Stop();
        }
    }

    private string? WrongInLog(List<(string Name, LogPosition Position)> recovered, List<(string Name, LogPosition Position)> reference, long moment)
    {
        var positions = new Dictionary<string, LogPosition>();
        foreach ((string name, LogPosition position) in recovered)
        {
            if (!positions.TryAdd(name, position))
            {
                return $"message {name} is there twice";
            }
        }

        if (Disordered(recovered) is { } disordered)
        {
            return disordered;
        }

        Dictionary<string, LogPosition> kept = reference.ToDictionary(message => message.Name, message => message.Position);
        bool isAllKept = recording.Runs.Count < 2 || moment < recording.Runs[1];
        foreach (CutMessage message in load.Publishers.SelectMany(publisher => publisher.Sent))
        {
            bool isThere = positions.TryGetValue(message.Name, out LogPosition position);
            bool wasThere = kept.TryGetValue(message.Name, out LogPosition before);
            if (!isThere && (wasThere || isAllKept) && _acknowledgements.HadLeft(message, moment))
            {
                return $"message {message.Name} was acknowledged and is lost";
            }

            if (isThere && wasThere && position != before)
            {
                return $"message {message.Name} was at {before} and is at {position}";
            }
        }

        return null;
    }

    private static string? Disordered(List<(string Name, LogPosition Position)> messages)
    {
        var last = new Dictionary<string, int>();
        LogPosition before = default;
        foreach ((string name, LogPosition position) in messages)
        {
            string[] parts = name.Split(' ');
            int number = int.Parse(parts[1], CultureInfo.InvariantCulture);
            if (position <= before || number <= last.GetValueOrDefault(parts[0]))
            {
                return $"message {name} at {position} comes behind {last.GetValueOrDefault(parts[0])} and {before}";
            }

            last[parts[0]] = number;
            before = position;
        }

        return null;
    }

    /// <summary>The retained message of each topic is that of the last change that was acknowledged, or of one sent after it.</summary>
    private string? WrongRetained(Dictionary<string, string> retained, long moment)
    {
        foreach (IGrouping<string, CutMessage> topic in load.Publishers.Where(publisher => publisher.Retains).SelectMany(publisher => publisher.Sent).GroupBy(message => message.Topic))
        {
            CutMessage[] changes = [.. topic];
            int last = Array.FindLastIndex(changes, change => _acknowledgements.HadLeft(change, moment));
            string? found = retained.GetValueOrDefault(topic.Key);
            bool isRight = found is null
                ? last < 0 || changes[last..].Any(change => change.Removes)
                : changes[int.Max(last, 0)..].Any(change => !change.Removes && change.Name == found);
            if (!isRight)
            {
                return $"retained at {topic.Key} is {found ?? "nothing"}; {changes[last].Name} was acknowledged";
            }
        }

        return null;
    }

    /// <summary>Links send again what may not have been acknowledged, and more: nothing is stored twice.</summary>
    private string? WrongWhenSentAgain(RecoveredGroup group, List<(string Name, LogPosition Position)> recovered, long moment)
    {
        HashSet<string> acknowledged = [];
        foreach (CutPublisher publisher in load.Publishers.Where(publisher => publisher.IsLink))
        {
            int last = publisher.Sent.FindLastIndex(message => _acknowledgements.HadLeft(message, moment));
            CutMessage[] again = [.. publisher.Sent.Take(last + 1).TakeLast(SentAgain), .. publisher.Sent.Skip(last + 1).Take(SentAgain)];
            acknowledged.UnionWith(again.Where(message => _acknowledgements.HadLeft(message, moment)).Select(message => message.Name));
            if (!group.SendAgain(publisher, again))
            {
                return $"publisher {publisher.Index} is refused what it sends again";
            }
        }

        List<(string Name, LogPosition Position)> now = group.Messages();
        HashSet<string> before = [.. recovered.Select(message => message.Name)];
        return !now.Take(recovered.Count).SequenceEqual(recovered) ? "what was recovered changed"
            : now.Skip(recovered.Count).FirstOrDefault(message => before.Contains(message.Name) || acknowledged.Contains(message.Name)).Name is { } twice ? $"message {twice} was sent again and stored again"
            : Disordered(now);
    }

    /// <summary>What the recovered group keeps from then on survives a kill, too.</summary>
    private static string? WrongAfterKill(RecoveredGroup group, TempFolder disk)
    {
        group.Retain("r/0", "9 1");
        List<(string Name, LogPosition Position)> before = group.Messages();
        using TempFolder killed = TempFolder.CopyOf(disk.Path);
        var again = new RecoveredGroup(killed.Path);
        try
        {
            return again.Retained().GetValueOrDefault("r/0") is var retained && retained != "9 1" ? $"{retained ?? "nothing"} is retained at r/0 after a kill"
                : !again.Messages().SequenceEqual(before) ? "a kill changed the log"
                : again.Term > group.Term ? null
                : "a term was used again";
        }
        finally
        {
            again.Stop();
        }
    }
}
