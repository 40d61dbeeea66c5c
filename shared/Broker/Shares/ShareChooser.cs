using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// Chooses the member for a message by a share's strategy. No closure and no list: this is asked for every message. The
/// mapping strategies (sticky, hashes) name one member whether or not it has room; the others pass over those without.
/// </summary>
internal sealed class ShareChooser(Random random)
{
    /// <summary>The member to hand a message to; null when the share has to wait.</summary>
    /// <param name="share">The share.</param>
    /// <param name="record">The message.</param>
    /// <param name="limit">Most messages of one share with one node; 0 for a live message, which nobody keeps.</param>
    public ShareMember? Choose(Share share, in LogRecord record, int limit)
    {
        ShareMember? chosen = share.Strategy switch
        {
            SharedStrategy.HashTopic => Highest(share, ShareRank.HashOf(record.Topic)),
            SharedStrategy.HashClient => Highest(share, record.Origin),
            SharedStrategy.Sticky => Sticky(share, limit),
            SharedStrategy.LeastInFlight => Least(share, limit),
            SharedStrategy.Random => ByChance(share, limit),
            _ => NextInTurn(share, limit),
        };
        return chosen is not null && MayHave(chosen, limit) ? chosen : null;
    }

    private static bool MayHave(ShareMember member, int limit) => limit == 0 ? member.IsReady : member.HasRoom(limit);

    private static ShareMember? Highest(Share share, ulong key)
    {
        ShareMember? best = null;
        double highest = 0;
        foreach (ShareMember member in share.Members)
        {
            if (member.Weight > 0 && ShareRank.Score(key, member.Key, member.Weight) is var score && (best is null || score > highest))
            {
                (best, highest) = (member, score);
            }
        }

        return best;
    }

    private static ShareMember? Sticky(Share share, int limit)
    {
        if (share.Stuck is not { Weight: > 0 } stuck || stuck.Share != share || !share.Members.Contains(stuck))
        {
            share.Stuck = NextInTurn(share, limit);
        }

        return share.Stuck;
    }

    private static ShareMember? Least(Share share, int limit)
    {
        ShareMember? best = null;
        foreach (ShareMember member in share.Members)
        {
            if (MayHave(member, limit)
                && (best is null || (long)member.HandedOut * best.Weight < (long)best.HandedOut * member.Weight))
            {
                best = member;
            }
        }

        return best;
    }

    private ShareMember? ByChance(Share share, int limit)
    {
        int total = 0;
        foreach (ShareMember member in share.Members)
        {
            total += MayHave(member, limit) ? member.Weight : 0;
        }

        int left = total == 0 ? 0 : random.Next(total);
        foreach (ShareMember member in share.Members)
        {
            if (MayHave(member, limit) && (left -= member.Weight) < 0)
            {
                return member;
            }
        }

        return null;
    }

    /// <summary>Smooth weighted round robin: everyone gains its weight, who has most goes and pays for all.</summary>
    private static ShareMember? NextInTurn(Share share, int limit)
    {
        ShareMember? best = null;
        int total = 0;
        foreach (ShareMember member in share.Members)
        {
            if (!MayHave(member, limit))
            {
                continue;
            }

            member.Turn += member.Weight;
            total += member.Weight;
            if (best is null || member.Turn > best.Turn)
            {
                best = member;
            }
        }

        if (best is not null)
        {
            best.Turn -= total;
        }

        return best;
    }
}
