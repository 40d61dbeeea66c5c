using System.Globalization;
using Trunkline.Sessions;
using Trunkline.Topics;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests.Disk;

/// <summary>Random calls of every kind on a few client identifiers.</summary>
internal sealed class DiskHistory(MemoryDirectory directory, Random random)
{
    private readonly Dictionary<string, SessionToken> _held = [];
    private ulong _slots = directory.SlotMap?.Version ?? 0;

    /// <summary>What memory has.</summary>
    internal string Live() => DiskFolder.Dump(((MemoryStore)directory.Store).Memory.Contents);

    internal async Task StepsAsync(int count)
    {
        for (int i = 0; i < count; i++)
        {
            await StepAsync("id" + random.Next(6));
        }
    }

    private async Task StepAsync(string id)
    {
        SessionToken token = _held.GetValueOrDefault(id);
        switch (random.Next(8))
        {
            case 0 or 1:
                DirectoryResult<Claim> claim = await directory.ClaimAsync(new(id, random.Next(100), "here", ExpectedHolder.Any) { Change = Change() });
                Assert.True(claim.IsOk, claim.Detail);
                _held[id] = claim.Value.Token;
                break;
            case 2 or 3:
                await directory.WriteSessionAsync(id, token, Change());
                break;
            case 4:
                await directory.DetachSessionAsync(id, token, Change());
                break;
            case 5:
                await directory.ReleaseAsync(id, token);
                break;
            case 6:
                foreach (DueItem item in await directory.DueAsync(id))
                {
                    await directory.FinishDueAsync(item);
                }

                break;
            default:
                await directory.WriteCheckpointAsync(new(random.Next(100), Positions(), [(id, Positions())])).MustAsync();
                if (random.Next(4) == 0)
                {
                    Assert.True((await directory.PublishSlotMapAsync(SlotMap.Even(2, _slots + 1), _slots)).IsOk);
                    _slots++;
                }

                break;
        }
    }

    private LogPosition[] Positions() => [new((ulong)random.Next(3), (ulong)random.Next(1_000))];

    private SessionChange Change()
    {
        SessionChange change = Sets((random.Next(2) == 0 ? "p" : "o:" + random.Next(5), random.Next().ToString(CultureInfo.InvariantCulture))) with
        {
            ClearsAll = random.Next(5) == 0,
            Deletes = random.Next(2) == 0 ? [] : ["o:" + random.Next(5)],
            ExpirySeconds = random.Next(4) switch { 0 => 0, 1 => DiskFolder.Hour, 2 => SessionChange.NeverExpires, _ => null },
        };
        return random.Next(3) switch
        {
            0 => change with { WillDelaySeconds = (uint)random.Next(2), Sets = [.. change.Sets, Field(SessionField.Will, "will" + random.Next())] },
            1 => change with { DropsWill = true },
            _ => change,
        };
    }
}
