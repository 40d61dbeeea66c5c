using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Trunkline.Tool.Parts;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Chaos;

/// <summary>
/// Does faults to the parts of one tier and undoes them; tells before and after each deed whom it harms. One deed to a part
/// at a time. Any thread.
/// </summary>
internal sealed partial class FaultActor(string folder, ChaosOptions options, TimeProvider time, Action<string> say, Action<Part> harmed)
{
    private const int SigCont = 18;
    private const int SigStop = 19;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(2);

    private readonly TierRunner _runner = new(time);
    private readonly ConcurrentDictionary<string, byte> _busy = new();
    private readonly ConcurrentDictionary<int, byte> _stopping = new();
    private readonly ConcurrentDictionary<int, byte> _held = new();

    /// <summary>Whether no fault lasts now.</summary>
    public bool IsCalm => _busy.IsEmpty;

    /// <summary>Whether the proxy at this port is asked to stop, or was and is not back.</summary>
    public bool IsStopping(int port) => _stopping.ContainsKey(port);

    /// <summary>Whether the proxy at this port is held: a device that hears from it now may be gone for the others.</summary>
    public bool IsHeld(int port) => _held.ContainsKey(port);

    /// <summary>Does the fault and undoes it when its time is over. Null when its part is in the middle of another fault.</summary>
    public async Task<string?> RunAsync(Fault fault, CancellationToken cancellation)
    {
        Part[] parts = [.. TierRunner.Status(folder).Parts.Where(part => part.Kind == fault.Kind.Target)];
        if (parts.Length == 0)
        {
            return null;
        }

        if (fault.Kind.Action == FaultAction.Promote)
        {
            return await PromoteAsync(parts, fault.Choice, cancellation);
        }

        Part part = parts[fault.Choice % parts.Length];
        if (!_busy.TryAdd(part.Name, 0))
        {
            return null;
        }

        int? stopping = fault.Kind.Action == FaultAction.Stop ? part.Port("mqtt") : null;
        string deed = $"{fault.Kind.Name} {part.Name} for {fault.Lasts.TotalSeconds:0.0} s{Builds(fault, part)}";
        try
        {
            say(deed);
            if (stopping is { } port)
            {
                _stopping[port] = 0;
            }

            harmed(part);
            await DoAsync(fault, part, cancellation);
        }
        finally
        {
            _busy.TryRemove(part.Name, out _);
            _stopping.TryRemove(stopping ?? 0, out _);
        }

        return deed;
    }

    // Whoever can: a sentinel, or in a Cluster a replica. One that is away or no replica says so, and the next one is asked.
    private async Task<string?> PromoteAsync(Part[] redis, int choice, CancellationToken cancellation)
    {
        Part[] sentinels = [.. redis.Where(part => part.Role == "sentinel")];
        Part[] able = sentinels.Length > 0 ? sentinels : redis;
        string command = sentinels.Length > 0 ? "SENTINEL FAILOVER " + RedisParts.MasterName : "CLUSTER FAILOVER TAKEOVER";
        for (int n = 0; n < able.Length; n++)
        {
            Part part = able[(choice + n) % able.Length];
            string answer = await RedisQuestion.AskAsync(part, command, AnswerPatience, cancellation);
            if (answer.StartsWith("+OK", StringComparison.Ordinal))
            {
                string deed = $"promote by {part.Name}";
                say(deed);
                return deed;
            }
        }

        return null;
    }

    private async Task DoAsync(Fault fault, Part part, CancellationToken cancellation)
    {
        if (fault.Kind.Action == FaultAction.Freeze)
        {
            IReadOnlyList<int> members = part.Process?.RunningMembers() ?? [];
            int port = part.Port("mqtt") ?? 0;
            _held[port] = 0;
            Signal(members, SigStop);

            // Once more: a device may have come in just before.
            harmed(part);
            try
            {
                await Task.Delay(Longer(fault.Lasts), time, cancellation);
            }
            finally
            {
                Signal(members, SigCont);
                _held.TryRemove(port, out _);
            }

            return;
        }

        await _runner.StopAsync(folder, part.Name, fault.Kind.Action == FaultAction.Kill, CancellationToken.None);
        try
        {
            await Task.Delay(fault.Lasts, time, cancellation);
        }
        finally
        {
            // Also when the run was interrupted: the tier is left whole.
            await _runner.StartAsync(folder, part.Name, ComeBack, Patience, CancellationToken.None);
        }
    }

    /// <summary>The part as of the build that it comes back as.</summary>
    private Part ComeBack(Part part) => (options.Other, options.ComesBack) switch
    {
        (null, _) or (_, Chaos.ComesBack.Same) => part,
        ({ } other, Chaos.ComesBack.Ours) => other.Ours(part),
        ({ } other, _) => other.Swapped(part),
    };

    /// <summary>Where there are two builds: which one the part is of, and which one it comes back as.</summary>
    private string Builds(Fault fault, Part part)
    {
        if (options.Other is not { } other || !other.Builds(part))
        {
            return "";
        }

        string before = Name(other, part);
        string after = fault.Kind.Action == FaultAction.Freeze ? before : Name(other, ComeBack(part));
        return before == after ? $" ({before})" : $" ({before}, back as {after})";
    }

    private static string Name(OtherBuild other, Part part) => other.Has(part) ? "other" : "ours";

    /// <summary>A process that is held for no time at all is not held.</summary>
    private static TimeSpan Longer(TimeSpan lasts) => lasts < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : lasts;

    private static void Signal(IReadOnlyList<int> pids, int signal)
    {
        foreach (int pid in pids)
        {
            _ = Kill(pid, signal);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
