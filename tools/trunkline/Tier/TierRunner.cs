using Trunkline.Tool.Authority;
using Trunkline.Tool.Parts;
using Trunkline.Tool.Processes;

namespace Trunkline.Tool.Tier;

/// <summary>Takes a tier up and down, and single parts of it. One command at a time per folder.</summary>
internal sealed class TierRunner(TimeProvider time)
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    // What serves others starts first and ends last.
    private static readonly PartKind[][] StartOrder = [[PartKind.Redis, PartKind.Broker], [PartKind.Proxy], [PartKind.Nginx]];

    private readonly PartRunner _parts = new(time);

    /// <summary>Starts every part and waits until each is ready. When one fails, whatever was started is stopped again.</summary>
    public async Task<TierState> UpAsync(TierSpecification specification, string folder, TimeSpan patience, CancellationToken cancellation)
    {
        specification.Validate();
        using IDisposable hold = await TierLock.TakeAsync(folder, time, cancellation);
        RefuseIfUp(folder);
        RemoveLeftovers(folder);
        TierState state = Prepare(specification, folder);
        RefuseBusyPorts(state);
        state.Save();
        try
        {
            foreach (PartKind[] stage in StartOrder)
            {
                foreach (Part part in state.Parts.Where(part => stage.Contains(part.Kind)))
                {
                    state = state.With(PartRunner.Start(part));
                    state.Save();
                }

                await Task.WhenAll(state.Parts
                    .Where(part => stage.Contains(part.Kind))
                    .Select(part => _parts.WaitUntilReadyAsync(part, patience, cancellation)));
                if (stage.Contains(PartKind.Redis))
                {
                    await new RedisAssembly(time, patience).AssembleAsync(specification.Redis, state.Parts, cancellation);
                }
            }

            return state;
        }
        catch
        {
            await StopAllAsync(state);
            throw;
        }
    }

    /// <summary>Stops exactly the processes that this tier started; its files stay.</summary>
    public async Task DownAsync(string folder, CancellationToken cancellation)
    {
        using IDisposable hold = await TierLock.TakeAsync(Existing(folder), time, cancellation);
        await StopAllAsync(Loaded(folder));
    }

    /// <summary>What is known of the tier in that folder.</summary>
    public static TierState Status(string folder) => Loaded(Existing(folder));

    /// <summary>
    /// Starts one part that does not run, with the settings it had. Others may be started and stopped while it becomes ready:
    /// it may need one of them for that.
    /// </summary>
    public Task<TierState> StartAsync(string folder, string name, TimeSpan patience, CancellationToken cancellation) =>
        StartAsync(folder, name, part => part, patience, cancellation);

    /// <summary>Starts one part that does not run as <paramref name="change"/> makes it: it stays so.</summary>
    public async Task<TierState> StartAsync(string folder, string name, Func<Part, Part> change, TimeSpan patience, CancellationToken cancellation)
    {
        Part part = await StartPartAsync(folder, name, change, cancellation);
        try
        {
            await _parts.WaitUntilReadyAsync(part, patience, cancellation);
        }
        catch
        {
            await StopAsync(folder, name, kill: true, CancellationToken.None);
            throw;
        }

        return Loaded(folder);
    }

    private async Task<Part> StartPartAsync(string folder, string name, Func<Part, Part> change, CancellationToken cancellation)
    {
        using IDisposable hold = await TierLock.TakeAsync(Existing(folder), time, cancellation);
        TierState state = Loaded(folder);
        Part part = state.Find(name);
        if (part.IsRunning)
        {
            throw new ToolException($"{name} runs already (process {part.Process!.Pid}).");
        }

        // Its workers may have outlived it, and still hold its ports.
        state = state.With(PartRunner.Start(change(await _parts.StopAsync(part, null))));
        state.Save();
        return state.Find(name);
    }

    /// <summary>Stops one part: asked first and killed after a while, or killed at once.</summary>
    public async Task<TierState> StopAsync(string folder, string name, bool kill, CancellationToken cancellation)
    {
        using IDisposable hold = await TierLock.TakeAsync(Existing(folder), time, cancellation);
        TierState state = Loaded(folder);
        state = state.With(await _parts.StopAsync(state.Find(name), kill ? null : Grace));
        state.Save();
        return state;
    }

    private static TierState Loaded(string folder) =>
        TierState.Load(folder) ?? throw NoTier(folder);

    private static string Existing(string folder) => Directory.Exists(folder) ? folder : throw NoTier(folder);

    /// <summary>A tier lives in the folder of its base port: whoever left that out is told what there is.</summary>
    private static ToolException NoTier(string folder)
    {
        string[] others = Path.GetDirectoryName(folder) is { } above && Directory.Exists(above)
            ? [.. Directory.EnumerateDirectories(above).Where(other => File.Exists(TierState.FileIn(other))).Order(StringComparer.Ordinal)]
            : [];
        return new ToolException($"No tier is up in {folder}." + (others.Length == 0 ? "" : $" Beside it are up: {string.Join(", ", others.Select(Path.GetFileName))}; name one by --base-port or --dir."));
    }

    private static void RefuseIfUp(string folder)
    {
        if (TierState.Load(folder) is TierState other && other.Parts.Any(part => part.Process?.RunningMembers().Count > 0))
        {
            throw new ToolException($"A tier is up in {folder} already: take it down first, or name another --dir.");
        }
    }

    // A new tier begins empty. Only what an earlier tier of ours wrote there goes.
    private static void RemoveLeftovers(string folder)
    {
        foreach (string name in new[] { TierState.FileIn(folder), TierState.LastFileIn(folder) })
        {
            if (!File.Exists(name))
            {
                continue;
            }

            File.Move(name, TierState.FileIn(folder), overwrite: true);
            foreach (Part part in TierState.Load(folder)!.Parts)
            {
                if (Directory.Exists(part.Folder))
                {
                    Directory.Delete(part.Folder, recursive: true);
                }
            }

            File.Delete(TierState.FileIn(folder));
        }
    }

    private TierState Prepare(TierSpecification specification, string folder)
    {
        TierLayout layout = new(specification, folder, TestAuthority.Create(Path.Combine(folder, "authority"), time));
        List<Part> parts = [];
        parts.AddRange(RedisParts.Create(layout));
        for (int group = 0; group < specification.Groups; group++)
        {
            parts.Add(specification.Broker == BrokerKind.Mosquitto ? MosquittoPart.Create(layout, group) : BrokerPart.Create(layout, group));
        }

        for (int number = 1; number <= specification.Proxies; number++)
        {
            parts.Add(ProxyPart.Create(layout, number));
        }

        if (specification.Nginx)
        {
            parts.Add(NginxPart.Create(layout));
        }

        TierState state = new(folder, layout.Authority.CaFile, parts);
        return specification.OtherParts.Aggregate(state, (tier, name) => tier.With(AsOfOther(specification.Other!, tier.Find(name))));
    }

    private static Part AsOfOther(OtherBuild other, Part part) => other.Builds(part)
        ? other.Theirs(part)
        : throw new ToolException($"--other-parts {part.Name}: its program is of neither build. Name proxies, and brokers of ours.", ExitCodes.Usage);

    private static void RefuseBusyPorts(TierState state)
    {
        IReadOnlyDictionary<int, string> holders =
            PortHolders.Find([.. state.Parts.SelectMany(part => part.Ports).Select(port => port.Number)]);
        if (holders.Count > 0)
        {
            string list = string.Join(", ", holders.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} by {pair.Value}"));
            throw new ToolException($"Ports of this tier are taken: {list}. Choose another --base-port.");
        }
    }

    private async Task StopAllAsync(TierState state)
    {
        foreach (PartKind[] stage in StartOrder.Reverse())
        {
            Part[] stopped = await Task.WhenAll(
                state.Parts.Where(part => stage.Contains(part.Kind)).Select(part => _parts.StopAsync(part, Grace)));
            state = stopped.Aggregate(state, (current, part) => current.With(part));
            state.Save();
        }

        File.Move(TierState.FileIn(state.Folder), TierState.LastFileIn(state.Folder), overwrite: true);
    }
}
