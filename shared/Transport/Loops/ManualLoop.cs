namespace Trunkline.Transports;

/// <summary>
/// A loop that turns when a test tells it to, on the test's thread and clock. Several may share one
/// <see cref="ManualTime"/>. A fault is thrown to the test unless the options name a listener.
/// </summary>
public sealed class ManualLoop : Loop
{
    private const int TurnLimit = 1_000_000;

    private readonly ManualTime _time;

    /// <summary>Makes a loop with a clock of its own.</summary>
    public ManualLoop()
        : this(new ManualTime())
    {
    }

    /// <summary>Makes a loop on a shared clock.</summary>
    public ManualLoop(ManualTime time, LoopOptions? options = null)
        : base((options ?? new LoopOptions()) with { Time = time }) => _time = time;

    /// <summary>Always: the test says which loop runs.</summary>
    public override bool IsCurrent => true;

    /// <summary>Whether a turn would have nothing to do but what time has made due.</summary>
    public bool IsIdle => !HasWork;

    /// <inheritdoc/>
    protected override bool ThrowsFaults => true;

    /// <summary>Runs every loop until none has anything to do at the present time.</summary>
    public static void RunUntilIdle(params ReadOnlySpan<ManualLoop> loops)
    {
        bool worked = true;
        while (worked)
        {
            worked = false;
            foreach (ManualLoop loop in loops)
            {
                worked |= loop.HasWork;
                loop.RunUntilIdle();
            }
        }
    }

    /// <summary>One turn, without waiting.</summary>
    public void RunTurn() => Turn(mayWait: false);

    /// <summary>Turns until there is nothing to do at the present time.</summary>
    public void RunUntilIdle()
    {
        int turns = 0;
        do
        {
            if (++turns > TurnLimit)
            {
                throw new InvalidOperationException($"Loop {Name} did not come to rest in {TurnLimit} turns.");
            }

            RunTurn();
        }
        while (HasWork);
    }

    /// <summary>Moves the clock forward, wheel slot by wheel slot, running what becomes due on this loop on the way.</summary>
    public void Advance(TimeSpan by)
    {
        var slot = TimeSpan.FromMilliseconds(TimerWheel.SlotMs);
        while (by > TimeSpan.Zero)
        {
            TimeSpan step = by < slot || Timers.Count == 0 ? by : slot;
            _time.Advance(step);
            RunUntilIdle();
            by -= step;
        }
    }

    /// <summary>Not for this loop: it has no thread.</summary>
    public override void Start() => throw new NotSupportedException("A manual loop is run by its test.");

    /// <inheritdoc/>
    protected override int Wait(int timeoutMs) => 0;

    /// <inheritdoc/>
    protected override void Dispatch(int events)
    {
    }

    /// <inheritdoc/>
    protected override void Wake()
    {
    }
}
