using Trunkline.Sessions;

namespace Trunkline.Directory.Tests;

/// <summary>
/// What the directory should hold of one client id, written down once more as simply as it can be said: for histories
/// in which delays are nothing or an hour, so that only what is brought forward comes due.
/// </summary>
internal sealed class RecordModel
{
    private bool _willDue, _willWaits, _expiryDue;

    internal SessionToken Holder { get; private set; }

    internal long AttachNumber { get; private set; }

    internal uint Expiry { get; private set; }

    internal (string Text, uint Delay, long Epoch)? Will { get; private set; }

    /// <summary>The delay as it stands in the record: none of a will that waits for a device that was sent away.</summary>
    internal uint? StoredDelay => _willWaits ? null : Will?.Delay;

    internal SortedDictionary<string, string> Fields { get; private set; } = new(StringComparer.Ordinal);

    internal IReadOnlyList<LogPosition>? Checkpoint { get; private set; }

    /// <summary>Wills that must be published whatever comes, by their epochs.</summary>
    internal SortedDictionary<long, string> Owed { get; } = [];

    internal bool IsFree => Holder.IsNone;

    internal string Text => string.Join(',', Fields.Select(f => $"{f.Key}={f.Value}"));

    /// <summary>Everything due, as "will epoch text" and "expiry", sorted.</summary>
    internal string[] Due
    {
        get
        {
            List<string> due = [.. Owed.Select(o => $"will {o.Key} {o.Value}")];
            if (_willDue)
            {
                due.Add($"will {Will!.Value.Epoch} {Will.Value.Text}");
            }

            if (_expiryDue)
            {
                due.Add("expiry");
            }

            return [.. due.Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>Whether the claim finds a session; what its record was is in <see cref="Text"/> before.</summary>
    internal bool Claim(SessionToken token, long attachNumber, SessionChange change)
    {
        bool exists = Expiry > 0 && !_expiryDue;
        if (Will is { } will && !change.DropsWill && ((!_willWaits && (change.ClearsAll || !exists)) || (IsFree ? _willDue : will.Delay == 0)))
        {
            Owed[will.Epoch] = will.Text;
        }

        if (!exists || change.ClearsAll)
        {
            Clear();
        }

        DropWill();
        (Holder, AttachNumber, _expiryDue) = (token, attachNumber, false);
        Apply(change, token.Epoch);
        return exists;
    }

    internal void Write(SessionChange change)
    {
        if (change.ClearsAll)
        {
            Clear();
        }

        if (change.DropsWill)
        {
            DropWill();
        }

        Apply(change, Holder.Epoch);
    }

    /// <summary>The connection ended, or its node died, or its node sent the device away, and its will waits.</summary>
    internal void Detach(uint? wait = null)
    {
        Holder = SessionToken.None;
        _willWaits = Will is not null && wait.HasValue;
        _willDue = Will is { } will && Math.Max(Math.Min(will.Delay, Expiry), wait ?? 0) == 0;
        if (Expiry == 0 && Will is null)
        {
            Clear();
        }
    }

    internal void Die(NodeCheckpoint? checkpoint, string clientId)
    {
        Checkpoint = checkpoint?.PositionsOf(clientId, AttachNumber) ?? Checkpoint;
        Detach();
    }

    internal void BringForward(char kind)
    {
        _willDue |= kind == 'w' && IsFree && Will is not null;
        _expiryDue |= kind == 'x' && IsFree && Expiry > 0;
    }

    internal void FinishWill(long epoch)
    {
        Owed.Remove(epoch);
        if (IsFree && Will?.Epoch == epoch)
        {
            DropWill();
            if (Expiry == 0)
            {
                Clear();
            }
        }
    }

    internal void FinishExpiry()
    {
        if (Will is { } will && _willWaits && !_willDue)
        {
            Clear();
            (Will, _willWaits, Fields[SessionField.Will]) = (will, true, will.Text);
            return;
        }

        if (Will is { } owed)
        {
            Owed[owed.Epoch] = owed.Text;
        }

        Clear();
    }

    private void Apply(SessionChange change, long epoch)
    {
        Expiry = change.ExpirySeconds ?? Expiry;
        foreach (SessionField field in change.Sets)
        {
            Fields[field.Name] = field.Value.Text();
        }

        foreach (string name in change.Deletes)
        {
            Fields.Remove(name);
        }

        if (change.WillDelaySeconds is { } delay)
        {
            Will = (Fields[SessionField.Will], delay, epoch);
        }
    }

    private void DropWill()
    {
        (Will, _willDue, _willWaits) = (null, false, false);
        Fields.Remove(SessionField.Will);
    }

    private void Clear()
    {
        (Fields, Expiry, Checkpoint, _expiryDue) = (new(StringComparer.Ordinal), 0, null, false);
        DropWill();
    }
}
