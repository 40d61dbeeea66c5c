using Trunkline.Sessions;

namespace Trunkline.Links.Tests;

/// <summary>
/// A foreign group's log in memory with the rules of the real one, and with faults on demand: calls that fail before or
/// after they were done, entries of others, entries given up. Any thread.
/// </summary>
internal sealed class MemoryForeignLog(int seed = 0) : IForeignLog
{
    private readonly Lock _lock = new();
    private readonly Random _random = new(seed);
    private readonly List<(LogPosition Position, byte[] Data)> _entries = [];
    private readonly Dictionary<string, ulong> _numbers = [];
    private readonly List<LogRead> _waiting = [];
    private readonly Stack<LogAppend> _held = new();
    private LogPosition _trimmed;
    private ulong _last;

    /// <summary>Share of the calls that fail.</summary>
    public double Faults { get; set; }

    public long AgeMs { get; set; }

    /// <summary>Answers to appends are held, until four are or <see cref="AnswerBackwards"/>; then the last comes first.</summary>
    public bool AnswersBackwards { get; set; }

    /// <summary>Reads that wait for what comes are not answered: the tail lags behind.</summary>
    public bool HoldsTail { get; set; }

    public bool IsConnected { get; set; } = true;

    public string Fault => IsConnected ? "" : "taken away";

    public long NowMs => 1_000 + AgeMs;

    public int Count => Locked(() => _entries.Count);

    public int Failed { get; private set; }

    /// <summary>Reads of messages by their positions.</summary>
    public int Lookups { get; private set; }

    public void Append(LogAppend append)
    {
        lock (_lock)
        {
            bool fails = Fails();
            if (!fails || _random.Next(2) == 0)
            {
                AppendNow(append);
            }

            append.IsOk = !fails;
            append.Fault = fails ? "no answer" : "";
            _held.Push(append);
            if (!AnswersBackwards || _held.Count >= 4)
            {
                AnswerBackwards();
            }

            WakeAll();
        }
    }

    /// <summary>Answers the appends that are held.</summary>
    public void AnswerBackwards()
    {
        lock (_lock)
        {
            while (_held.TryPop(out LogAppend? append))
            {
                append.Complete();
            }
        }
    }

    public void Read(LogRead read)
    {
        lock (_lock)
        {
            read.Messages = [];
            read.HasMore = false;
            read.IsLossy = false;
            read.IsOk = !Fails();
            read.Fault = read.IsOk ? "" : "no answer";
            read.End = new LogPosition(1_000, _last);
            bool isTail = read.Kind == LogReadKind.Wait;
            Lookups += read.Kind == LogReadKind.At ? 1 : 0;
            if (read is { Kind: LogReadKind.At, IsOk: true })
            {
                Find(read);
                read.Complete();
                return;
            }

            if (!read.IsOk || read.Kind == LogReadKind.End)
            {
                read.Complete();
            }
            else if ((isTail && HoldsTail) || (!Fill(read) && isTail))
            {
                _waiting.Add(read);
            }
            else
            {
                read.Complete();
            }
        }
    }

    /// <summary>Somebody else's entry.</summary>
    public void Write(byte[] data)
    {
        lock (_lock)
        {
            _entries.Add((new LogPosition(1_000, ++_last), data));
            WakeAll();
        }
    }

    /// <summary>The tail is answered again.</summary>
    public void ReleaseTail()
    {
        lock (_lock)
        {
            HoldsTail = false;
            WakeAll();
        }
    }

    /// <summary>Ends the reads that wait, as their time does.</summary>
    public void EndWaits()
    {
        lock (_lock)
        {
            _waiting.ForEach(read => read.Complete());
            _waiting.Clear();
        }
    }

    /// <summary>Gives up every entry there is.</summary>
    public void Trim()
    {
        lock (_lock)
        {
            _trimmed = new LogPosition(1_000, _last);
            _entries.Clear();
        }
    }

    private void AppendNow(LogAppend append)
    {
        ulong last = ulong.Max(_numbers.GetValueOrDefault(append.Producer), append.Confirmed);
        append.IsGap = append.First > last + 1;
        for (int i = 0; i < append.Entries.Count && !append.IsGap; i++)
        {
            if (append.First + (ulong)i > last)
            {
                _entries.Add((new LogPosition(1_000, ++_last), append.Entries[i].Data));
                _numbers[append.Producer] = append.First + (ulong)i;
            }
        }

        append.End = new LogPosition(1_000, _last);
    }

    private void Find(LogRead read)
    {
        var found = new List<(LogPosition, ReadOnlyMemory<byte>)>();
        int bytes = 0;
        for (read.Looked = 0; read.Looked < read.Positions.Count && bytes < read.MaximumBytes; read.Looked++)
        {
            foreach ((LogPosition position, byte[] data) in _entries.Where(entry => entry.Position == read.Positions[read.Looked]))
            {
                found.Add((position, data));
                bytes += data.Length;
            }
        }

        read.Messages = found;
    }

    private bool Fill(LogRead read)
    {
        const int page = 7;
        read.Messages = [.. _entries.Where(entry => entry.Position > read.After).Take(page).Select(entry => (entry.Position, (ReadOnlyMemory<byte>)entry.Data))];
        read.Left = _entries.Count(entry => entry.Position > read.After) - read.Messages.Count;
        read.HasMore = read.Left > 0;
        read.IsLossy = read.Kind == LogReadKind.Page && _trimmed > read.After;
        return read.Messages.Count > 0;
    }

    private void WakeAll()
    {
        _waiting.RemoveAll(read =>
        {
            bool isFilled = !HoldsTail && Fill(read);
            if (isFilled)
            {
                read.Complete();
            }

            return isFilled;
        });
    }

    private bool Fails()
    {
        bool fails = _random.NextDouble() < Faults;
        Failed += fails ? 1 : 0;
        return fails;
    }

    private T Locked<T>(Func<T> read)
    {
        lock (_lock)
        {
            return read();
        }
    }
}
