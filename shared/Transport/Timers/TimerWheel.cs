using System.Numerics;

namespace Trunkline.Transports;

/// <summary>
/// All deadlines of one loop: 1,024 slots of 64 ms, about 65 s a round; a timer further away stays in its slot and is
/// passed over until its round comes. Scheduling and cancelling cost a few pointer writes whatever the number of timers.
/// Loop thread only.
/// </summary>
/// <remarks>
/// <code>
/// tick = ms / 64          slot = tick mod 1024          bitmap: which slots may hold something
///   slots: [s]&lt;-&gt;timer&lt;-&gt;timer&lt;-&gt;[s]    circular lists around a sentinel, first in first out
/// </code>
/// </remarks>
public sealed class TimerWheel
{
    /// <summary>Width of a slot in milliseconds: the precision of every deadline.</summary>
    public const int SlotMs = 64;

    private const int SlotCount = 1024;
    private const int SlotMask = SlotCount - 1;

    private readonly LoopTimer[] _slots = new LoopTimer[SlotCount];
    private readonly ulong[] _occupied = new ulong[SlotCount / 64];
    private readonly LoopTimer _firing = NewSentinel();
    private readonly Action<object, Exception>? _onFault;
    private readonly long _firstTick;
    private long _tick;

    /// <summary>Makes a wheel that stands at <paramref name="nowMs"/>.</summary>
    /// <param name="nowMs">The time now.</param>
    /// <param name="onFault">Hears of a timer that threw; without it the exception leaves <see cref="Advance"/>.</param>
    public TimerWheel(long nowMs, Action<object, Exception>? onFault = null)
    {
        NowMs = nowMs;
        _firstTick = nowMs / SlotMs;
        _tick = _firstTick;
        _onFault = onFault;
        for (int i = 0; i < SlotCount; i++)
        {
            _slots[i] = NewSentinel();
        }
    }

    /// <summary>The time that delays count from, in ms: that of the last <see cref="MoveClock"/> or <see cref="Advance"/>.</summary>
    public long NowMs { get; private set; }

    /// <summary>How many timers wait.</summary>
    public int Count { get; private set; }

    /// <summary>Sets a timer, or moves it when it was set already. It is due in <paramref name="delayMs"/> from <see cref="NowMs"/>.</summary>
    public void Schedule(LoopTimer timer, long delayMs)
    {
        Cancel(timer);
        long dueMs = NowMs + Math.Max(0, delayMs);

        // Rounded up, so that it is never early, and never into the slot that is being fired.
        long tick = Math.Max((dueMs + SlotMs - 1) / SlotMs, _tick + 1);
        timer.DueTick = (uint)(tick - _firstTick);
        int slot = (int)(tick & SlotMask);
        timer.LinkBefore(_slots[slot]);
        _occupied[slot >> 6] |= 1UL << (slot & 63);
        Count++;
    }

    /// <summary>Takes a timer off; nothing happens when it was not set.</summary>
    public void Cancel(LoopTimer timer)
    {
        if (timer.IsScheduled)
        {
            timer.Unlink();
            Count--;
        }
    }

    /// <summary>
    /// Moves the time and fires nothing: what is scheduled now is due its whole delay from now, however long nothing was
    /// fired, because the loop slept or was held up.
    /// </summary>
    public void MoveClock(long nowMs) => NowMs = Math.Max(NowMs, nowMs);

    /// <summary>Moves the time and fires what is due. Returns how many fired.</summary>
    public int Advance(long nowMs)
    {
        NowMs = Math.Max(NowMs, nowMs);
        long target = NowMs / SlotMs;
        if (Count == 0 || target == _tick)
        {
            _tick = target;
            return 0;
        }

        long first = Math.Max(_tick + 1, target - SlotMask);
        _tick = target;
        for (long tick = first; tick <= target; tick++)
        {
            CollectDue((int)(tick & SlotMask), target);
        }

        return FireCollected();
    }

    /// <summary>Milliseconds until a timer may be due (there may be none: far timers are looked at once a round), or -1 without timers.</summary>
    public int NextDelayMs()
    {
        if (Count == 0)
        {
            return -1;
        }

        int start = (int)((_tick + 1) & SlotMask);
        for (int distance = 0; distance < SlotCount;)
        {
            int slot = (start + distance) & SlotMask;
            ulong word = _occupied[slot >> 6] >> (slot & 63);
            if (word == 0)
            {
                distance += 64 - (slot & 63);
                continue;
            }

            distance += BitOperations.TrailingZeroCount(word);
            slot = (start + distance) & SlotMask;
            if (_slots[slot].Next != _slots[slot])
            {
                return (int)Math.Max(1, ((_tick + 1 + distance) * SlotMs) - NowMs);
            }

            _occupied[slot >> 6] &= ~(1UL << (slot & 63));
        }

        return SlotCount * SlotMs;
    }

    private static Sentinel NewSentinel()
    {
        var sentinel = new Sentinel();
        sentinel.Next = sentinel;
        sentinel.Previous = sentinel;
        return sentinel;
    }

    private void CollectDue(int slot, long target)
    {
        if ((_occupied[slot >> 6] & (1UL << (slot & 63))) == 0)
        {
            return;
        }

        LoopTimer sentinel = _slots[slot];
        for (LoopTimer timer = sentinel.Next!; timer != sentinel;)
        {
            LoopTimer next = timer.Next!;
            if (timer.DueTick <= target - _firstTick)
            {
                timer.Unlink();
                timer.LinkBefore(_firing);
            }

            timer = next;
        }

        if (sentinel.Next == sentinel)
        {
            _occupied[slot >> 6] &= ~(1UL << (slot & 63));
        }
    }

    private int FireCollected()
    {
        int fired = 0;
        while (_firing.Next != _firing)
        {
            LoopTimer timer = _firing.Next!;
            timer.Unlink();
            Count--;
            fired++;
            try
            {
                timer.Fire();
            }
            catch (Exception exception) when (_onFault is not null)
            {
                _onFault(timer, exception);
            }
        }

        return fired;
    }

    private sealed class Sentinel : LoopTimer
    {
        protected override void OnDue()
        {
        }
    }
}
