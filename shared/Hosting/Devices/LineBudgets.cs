using Trunkline.Transports;

namespace Trunkline.Hosting.Devices;

/// <summary>
/// How many log lines about connections each address may still cause within a window: one for all loops of a process, so
/// that a flood writes no more lines where there are more loops. Any thread; taken once a connection event.
/// </summary>
/// <param name="linesPerWindow">Lines of one address in a window.</param>
public sealed class LineBudgets(int linesPerWindow = 20)
{
    /// <summary>How long a budget lasts, ms.</summary>
    public const long WindowMs = 10_000;

    /// <summary>Addresses known at a time; those that come beyond it share one budget: a flood from everywhere.</summary>
    public const int MaximumAddresses = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Budget> _budgets = new(StringComparer.Ordinal);
    private readonly Budget _others = new();

    private sealed class Budget
    {
        public long WindowStartMs;
        public int Used;
        public long HeldBack;
    }

    /// <summary>Whether a line about <paramref name="address"/> may be written now; counted where not. Its port does not matter.</summary>
    public bool Take(NetworkAddress address, long nowMs)
    {
        // Asked at each connection: a text of its own only for an address that is new.
        Span<char> text = stackalloc char[NetworkAddress.MaximumTextLength];
        ReadOnlySpan<char> host = address.TryFormatHost(text, out int length) ? text[..length] : address.HostToString();
        lock (_lock)
        {
            Budget budget = BudgetOf(host, nowMs);
            if (budget.Used < linesPerWindow)
            {
                budget.Used++;
                return true;
            }

            budget.HeldBack++;
            return false;
        }
    }

    /// <summary>Ends the windows that are over and tells what was held back in them; whether others go on.</summary>
    public bool EndWindows(long nowMs, out IReadOnlyList<(string Host, long HeldBack)> heldBack, out long heldBackOfOthers)
    {
        List<(string Host, long HeldBack)> ended = [];
        heldBack = ended;
        lock (_lock)
        {
            foreach ((string host, Budget budget) in _budgets)
            {
                if (nowMs - budget.WindowStartMs < WindowMs)
                {
                    continue;
                }

                if (budget.HeldBack > 0)
                {
                    ended.Add((host, budget.HeldBack));
                }

                _budgets.Remove(host);
            }

            heldBackOfOthers = 0;
            if (nowMs - _others.WindowStartMs >= WindowMs)
            {
                heldBackOfOthers = _others.HeldBack;
                _others.Used = 0;
                _others.HeldBack = 0;
            }

            return _budgets.Count > 0 || _others.HeldBack > 0;
        }
    }

    private Budget BudgetOf(ReadOnlySpan<char> host, long nowMs)
    {
        if (_budgets.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(host, out Budget? budget))
        {
            return budget;
        }

        if (_budgets.Count >= MaximumAddresses)
        {
            if (_others is { Used: 0, HeldBack: 0 })
            {
                _others.WindowStartMs = nowMs;
            }

            return _others;
        }

        budget = new Budget { WindowStartMs = nowMs };
        _budgets.Add(host.ToString(), budget);
        return budget;
    }
}
