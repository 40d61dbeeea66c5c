using System.Security.Cryptography;

namespace Trunkline.Loadtest;

/// <summary>What every run has: its loops, settings, connectors, and who watches. Lives as long as the run.</summary>
internal sealed class LoadSession : IDisposable
{
    private LoadSession(LoadOptions options, TimeProvider time)
    {
        Options = options;
        Clock = new LoadClock(time);
        uint run = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));
        Prefix = options.Prefix ?? $"lt{run & 0xFFFFF:x5}";
        Settings = new ClientSettings(options, run, Clock);
        Connectors = new Connectors(options);
        Loops = [.. Enumerable.Range(0, options.Loops).Select(index => new LoadLoop(index, time))];
        Watch = new RunWatch(options, Loops, Clock);
    }

    /// <summary>
    /// Makes loops and connectors, and primes both sides: one connection is made and closed before anything is measured,
    /// so that the first figures are not those of compiling this program, of a name's lookup or of a certificate's.
    /// </summary>
    public static async Task<LoadSession> CreateAsync(LoadOptions options, TimeProvider time, CancellationToken stop)
    {
        var session = new LoadSession(options, time);
        var prime = new PrimingRun(session);
        await prime.RunAsync(stop);
        session.Watch = new RunWatch(options, session.Loops, session.Clock);
        return session;
    }

    /// <summary>The options.</summary>
    public LoadOptions Options { get; }

    /// <summary>The clock.</summary>
    public LoadClock Clock { get; }

    /// <summary>Prefix of client ids.</summary>
    public string Prefix { get; }

    /// <summary>What clients have in common.</summary>
    public ClientSettings Settings { get; }

    /// <summary>How clients dial.</summary>
    public Connectors Connectors { get; }

    /// <summary>The loops.</summary>
    public IReadOnlyList<LoadLoop> Loops { get; }

    /// <summary>Samples once a second.</summary>
    public RunWatch Watch { get; private set; }

    /// <summary>The loop of a client.</summary>
    public LoadLoop LoopOf(ClientSpec client) => Loops[client.Index % Loops.Count];

    /// <summary>Runs something on every loop and waits for all.</summary>
    public Task OnAllAsync(Action<LoadLoop> action) =>
        Task.WhenAll(Loops.Select(loop => loop.Loop.InvokeAsync(() => action(loop))));

    /// <summary>Waits for a condition that sampling shows, looking every 20 ms; false at the deadline or the user's signal.</summary>
    public async Task<bool> UntilAsync(Func<Counters, bool> condition, TimeSpan limit, CancellationToken stop)
    {
        long deadlineNs = Clock.NowNs + (long)limit.TotalNanoseconds;
        while (!condition(await CountAsync()))
        {
            if (stop.IsCancellationRequested || Clock.NowNs >= deadlineNs)
            {
                return false;
            }

            await WaitAsync(TimeSpan.FromMilliseconds(20), stop);
        }

        return true;
    }

    /// <summary>Waits; the user's signal ends it early without an exception.</summary>
    public async Task WaitAsync(TimeSpan time, CancellationToken stop)
    {
        try
        {
            await Task.Delay(time > TimeSpan.Zero ? time : TimeSpan.Zero, Clock.Time, stop);
        }
        catch (OperationCanceledException)
        {
            // Whoever waits looks at the token.
        }
    }

    /// <summary>The counters of all loops together.</summary>
    public async Task<Counters> CountAsync()
    {
        var all = new Counters();
        foreach (LoadLoop loop in Loops)
        {
            all.Add(await loop.Loop.InvokeAsync(() => loop.Figures.Counts));
        }

        return all;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (LoadLoop loop in Loops)
        {
            loop.Dispose();
        }
    }
}
