using Microsoft.Extensions.Logging;
using Trunkline.Directory;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>
/// Compares what one loop holds with the directory when that is in doubt: stale sessions are closed, lost claims are
/// written back. Asked again until the directory answers; a further doubt meanwhile makes one more round. Loop thread only.
/// </summary>
internal sealed partial class HeldReview(ConnectionGate gate, IDirectory directory, ILogger logger) : LoopTimer
{
    private const long RetryMs = 1_000;
    private HeldDoubt? _doubt;
    private string _generation = "";
    private bool _isRunning;

    /// <summary>The loop whose sessions are reviewed.</summary>
    public Loop Loop => gate.Loop;

    /// <summary>What is held is in doubt; a new generation is the graver doubt.</summary>
    public void Begin(HeldDoubt doubt)
    {
        _doubt = _doubt is { } known && known > doubt ? known : doubt;
        if (!_isRunning)
        {
            Ask();
        }
    }

    /// <inheritdoc/>
    protected override void OnDue() => Ask();

    private void Ask()
    {
        if (IsScheduled)
        {
            Loop.Timers.Cancel(this);
        }

        if (_doubt is { } doubt)
        {
            _doubt = null;
            if (doubt == HeldDoubt.NewGeneration)
            {
                _generation = directory.Health.Generation;
                Restore(doubt, null);
            }
            else
            {
                Ask(gate.Held(), doubt, restores: false);
            }
        }
    }

    /// <summary>Writes back what is held, or only what is missing: with all of its state, and with no other write of it under way.</summary>
    private void Restore(HeldDoubt doubt, HashSet<string>? missing)
    {
        _isRunning = true;
        gate.Keeper.HoldAll(() => Ask(
            [.. gate.Held(withRecords: true).Where(held => missing?.Contains(held.ClientId) != false)], doubt, restores: true));
    }

    private void Ask(IReadOnlyList<HeldSession> held, HeldDoubt doubt, bool restores)
    {
        if (held.Count == 0)
        {
            if (restores && doubt == HeldDoubt.NewGeneration)
            {
                gate.WrittenBack = _generation;
            }

            _isRunning = false;
            gate.Keeper.LetAllGo();
            return;
        }

        _isRunning = true;
        ValueTask<DirectoryResult<IReadOnlyList<HeldFinding>>> call =
            restores ? directory.RestoreHeldAsync(held) : directory.VerifyHeldAsync(held);
        call.Then(
            (Review: this, doubt, restores),
            static (state, result) => state.Review.Loop.Post(() => state.Review.Answered(result, state.doubt, state.restores)));
    }

    private void Answered(DirectoryResult<IReadOnlyList<HeldFinding>> result, HeldDoubt doubt, bool restored)
    {
        _isRunning = false;
        gate.Keeper.LetAllGo();
        if (!result.IsOk)
        {
            if (result.Status is not (DirectoryStatus.DeclaredDead or DirectoryStatus.Canceled))
            {
                Begin(doubt, RetryMs);
            }

            return;
        }

        Act(result.Value);
        if (restored && doubt == HeldDoubt.NewGeneration)
        {
            gate.WrittenBack = _generation;
        }

        HashSet<string> missing =
            [.. result.Value.Where(finding => finding.Standing == HeldStanding.Missing).Select(finding => finding.Held.ClientId)];
        if (!restored && missing.Count > 0)
        {
            Restore(doubt, missing);
        }
        else
        {
            // A doubt that came meanwhile.
            Ask();
        }
    }

    private void Begin(HeldDoubt doubt, long delayMs)
    {
        _doubt = _doubt is { } known && known > doubt ? known : doubt;
        Loop.Timers.Schedule(this, delayMs);
    }

    private void Act(IReadOnlyList<HeldFinding> findings)
    {
        int stale = 0;
        int restored = 0;
        foreach (HeldFinding finding in findings)
        {
            switch (finding.Standing)
            {
                case HeldStanding.Stale when finding.Other.Node == directory.Self.Id:
                    // A newer claim of this node, whose answer is on its way.
                    break;
                case HeldStanding.Stale:
                    stale++;
                    gate.LetGo(finding.Held.ClientId, finding.Held.Token, finding.Other, static () => { });
                    break;
                case HeldStanding.Restored:
                    restored++;
                    if (!finding.Other.IsNone && finding.Other.Node != directory.Self.Id)
                    {
                        // Written back over an older holder: that one still believes to hold it. Its answer changes nothing here.
                        directory.RequestTakeOverAsync(finding.Held.ClientId, finding.Other, finding.Held.Token).Then(0, static (_, _) => { });
                    }

                    break;
            }
        }

        if (stale + restored > 0)
        {
            LogReviewed(logger, stale, restored);
        }
    }

    [LoggerMessage(1110, LogLevel.Information, "Held sessions were compared with the directory: {Stale} had been claimed elsewhere and were closed, {Restored} were written back.")]
    private static partial void LogReviewed(ILogger logger, int stale, int restored);
}
