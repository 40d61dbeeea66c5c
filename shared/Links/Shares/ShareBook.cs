using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// What this node has of the shares of one group, on the receiver's loop: which messages were handed to it and are not
/// reported yet, and the reports that are not answered. After a lost connection both are told again, before the link
/// resumes.
/// </summary>
internal sealed class ShareBook(GroupReceiver receiver) : IEndOfTurn
{
    /// <summary>Bytes after which the account of what is held goes on in another report.</summary>
    private const int StateBytes = 256 * 1024;

    private readonly Dictionary<TopicFilterText, Dictionary<LogPosition, int>> _held = [];
    private readonly Queue<ShareReport> _toSend = new();
    private readonly List<ShareReport> _sent = [];
    private readonly HashSet<UpstreamFilter> _changed = [];
    private readonly ShareLines _lines = new();
    private bool _isListed;

    /// <summary>Messages handed to this node and not reported done or given back.</summary>
    public int Held { get; private set; }

    /// <summary>A message was handed out; false when it is here already.</summary>
    public bool TryAdd(UpstreamFilter filter, LogPosition position, int loop)
    {
        if (!_held.TryGetValue(filter.Text, out Dictionary<LogPosition, int>? held))
        {
            _held.Add(filter.Text, held = []);
        }

        if (!held.TryAdd(position, loop))
        {
            return false;
        }

        Held++;
        filter.Shared!.NoteHandedOut(loop, 1);
        return true;
    }

    /// <summary>A loop reports.</summary>
    public void Take(ShareReport report)
    {
        foreach (ShareReport.Item item in report.Items)
        {
            if (item.Word is ShareWord.Done or ShareWord.Back)
            {
                Remove(item);
            }
        }

        Enqueue(report);
    }

    /// <summary>The members of a share have changed.</summary>
    public void NoteMembers(UpstreamFilter filter)
    {
        _changed.Add(filter);
        if (!_isListed)
        {
            _isListed = true;
            receiver.Loop.AtEndOfTurn(this);
        }
    }

    /// <summary>A message came for a share that nobody here holds any more.</summary>
    public void GiveBack(TopicFilterText share, LogPosition position)
    {
        var report = new ShareReport(receiver, receiver.Loop.Index);
        report.Add(new ShareReport.Item(ShareWord.Back, share, position, null, 0));
        Enqueue(report);
    }

    /// <inheritdoc/>
    public void OnEndOfTurn()
    {
        _isListed = false;
        receiver.PumpReports();
    }

    /// <summary>The lines of the next report, and the report when somebody waits for its answer; false when there is nothing to say.</summary>
    public bool TryNext(out ReadOnlySpan<byte> lines, out ShareReport? report)
    {
        _lines.Clear();
        report = null;
        if (_changed.Count > 0)
        {
            // Members first: what is given back must not come here again.
            foreach (UpstreamFilter filter in _changed)
            {
                Members(filter);
            }

            _changed.Clear();
        }
        else if (_toSend.TryDequeue(out report))
        {
            report.Write(_lines);
            _sent.Add(report);
        }

        lines = _lines.Text;
        return !lines.IsEmpty;
    }

    /// <summary>The broker has answered a report.</summary>
    public void Answered(ShareReport report, ReadOnlySpan<byte> answers)
    {
        _sent.Remove(report);
        bool takes = false;
        foreach (ShareReport.Item item in report.Items)
        {
            if (item.Word == ShareWord.Take)
            {
                // Granted: the group knows it by its owner now. Refused: it is not here any more.
                Remove(item);
                takes = true;
            }
        }

        if (takes)
        {
            report.Answers = answers.ToArray();
            receiver.Answer(report);
        }
    }

    /// <summary>The connection is gone: reports without an answer are sent again, first.</summary>
    public void OnLost()
    {
        ShareReport[] waiting = [.. _sent, .. _toSend];
        _sent.Clear();
        _toSend.Clear();
        Array.ForEach(waiting, _toSend.Enqueue);
    }

    /// <summary>Everything that is so now, for a broker that may have lost it: who is there, and what is held.</summary>
    /// <param name="send">Sends some lines.</param>
    public void WriteState(Action<ReadOnlyMemory<byte>> send)
    {
        _lines.Clear();
        foreach (UpstreamFilter filter in receiver.Filters)
        {
            if (filter.IsShared)
            {
                Members(filter);
            }
        }

        foreach ((TopicFilterText share, Dictionary<LogPosition, int> held) in _held)
        {
            foreach (LogPosition position in held.Keys)
            {
                _lines.Share(share);
                _lines.Position("hold "u8, position);
                if (_lines.Text.Length >= StateBytes)
                {
                    send(_lines.Text.ToArray());
                    _lines.Clear();
                }
            }
        }

        if (!_lines.Text.IsEmpty)
        {
            send(_lines.Text.ToArray());
        }
    }

    private void Enqueue(ShareReport report)
    {
        _toSend.Enqueue(report);
        receiver.PumpReports();
    }

    private void Members(UpstreamFilter filter)
    {
        _lines.Share(filter.Text);
        _lines.Members(filter.Shared!.Connected, filter.Shared.Capacity, filter.Shared.Strategy);
    }

    private void Remove(in ShareReport.Item item)
    {
        if (_held.TryGetValue(item.Share, out Dictionary<LogPosition, int>? held) && held.Remove(item.Position, out int loop))
        {
            Held--;
            receiver.Find(item.Share)?.Shared!.NoteHandedOut(loop, -1);
            if (held.Count == 0)
            {
                _held.Remove(item.Share);
            }
        }
    }
}
