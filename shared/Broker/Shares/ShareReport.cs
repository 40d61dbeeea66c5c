using System.Buffers.Text;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>
/// What a node says of its shares, as lines: which share, then what of it. Carried out line by line; a line that is malformed
/// ends it, and what came before it stands.
/// </summary>
/// <remarks>
/// <code>
///   share $share/name/filter          the lines after it are of this share
///   members connected capacity name   how many of its members are connected, what they take, how they are chosen
///   hold positions                    what it still has (before it resumes)
///   done positions                    acknowledged, or passed over
///   back positions                    somebody else is to get them
///   take owner position               a QoS 2 exchange of the session with that hash is about to begin; answered
///   free owner position               that session is gone, and did not begin
/// </code>
/// Positions are <c>term:offset</c>, then <c>offset</c> alone for others of the same term.
/// </remarks>
internal sealed class ShareReport(BrokerState state, ReceiveLink link)
{
    private readonly List<byte> _answers = [];
    private Share? _share;
    private ShareMember? _member;

    /// <summary>One letter for each take, in order: <c>g</c> granted, <c>x</c> refused.</summary>
    public byte[] Answers => [.. _answers];

    /// <summary>Carries out every line. Returns what was wrong, or null.</summary>
    public string? Run(ReadOnlySpan<byte> payload)
    {
        while (!payload.IsEmpty)
        {
            int end = payload.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? payload : payload[..end];
            payload = end < 0 ? default : payload[(end + 1)..];
            if (!line.IsEmpty && !Take(line))
            {
                return "A line of the report is malformed; there are share, members, hold, done, back, take and free.";
            }
        }

        return null;
    }

    private bool Take(ReadOnlySpan<byte> line)
    {
        int space = line.IndexOf((byte)' ');
        if (space < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> name = line[..space];
        ReadOnlySpan<byte> value = line[(space + 1)..];
        if (name.SequenceEqual("share"u8))
        {
            return TakeShare(value);
        }

        return name.SequenceEqual("members"u8) ? TakeMembers(value)
            : name.SequenceEqual("hold"u8) ? TakePositions(value, Kind.Hold)
            : name.SequenceEqual("done"u8) ? TakePositions(value, Kind.Done)
            : name.SequenceEqual("back"u8) ? TakePositions(value, Kind.Back)
            : name.SequenceEqual("take"u8) ? TakeOwned(value, isTake: true)
            : name.SequenceEqual("free"u8) && TakeOwned(value, isTake: false);
    }

    private enum Kind : byte
    {
        Hold,
        Done,
        Back,
    }

    private bool TakeShare(ReadOnlySpan<byte> value)
    {
        if (!TopicFilterText.TryParse(value, state.Context.Options.TopicLimits, out TopicFilterText filter, out _) || !filter.IsShared)
        {
            return false;
        }

        _share = state.Shares.Find(filter);
        _member = _share is null ? null : link.Node.Shares.GetValueOrDefault(_share);
        return true;
    }

    private bool TakeMembers(ReadOnlySpan<byte> value)
    {
        if (!Utf8Parser.TryParse(value, out int connected, out int used) || used >= value.Length || value[used] != (byte)' ')
        {
            return false;
        }

        value = value[(used + 1)..];
        if (!Utf8Parser.TryParse(value, out int capacity, out used) || connected < 0 || capacity < 0 || used >= value.Length)
        {
            return false;
        }

        Span<char> word = stackalloc char[32];
        ReadOnlySpan<byte> text = value[(used + 1)..];
        if (text.Length > word.Length || !SharedStrategies.TryParseName(word[..System.Text.Encoding.ASCII.GetChars(text, word)], out SharedStrategy strategy))
        {
            return false;
        }

        if (_share is not null && _member is not null)
        {
            _share.Strategy = strategy;
            _member.Connected = connected;
            _member.Capacity = capacity;
            _share.Wake();
        }

        return true;
    }

    private bool TakePositions(ReadOnlySpan<byte> value, Kind kind)
    {
        ulong term = 0;
        foreach (Range range in value.Split((byte)' '))
        {
            if (!PositionText.TryRead(value[range], ref term, out LogPosition position))
            {
                return false;
            }

            switch (kind)
            {
                case Kind.Hold when _member is not null:
                    _share!.Claim(position, _member);
                    break;
                case Kind.Done:
                    _share?.Done(position);
                    break;
                case Kind.Back:
                    _share?.Return(position, _member);
                    break;
            }
        }

        return true;
    }

    private bool TakeOwned(ReadOnlySpan<byte> value, bool isTake)
    {
        ulong term = 0;
        int space = value.IndexOf((byte)' ');
        if (space < 0 || !Utf8Parser.TryParse(value[..space], out ulong owner, out int used, 'x') || used != space || owner == 0
            || !PositionText.TryRead(value[(space + 1)..], ref term, out LogPosition position))
        {
            return false;
        }

        if (isTake)
        {
            _answers.Add(_share?.Take(position, owner) == true ? (byte)'g' : (byte)'x');
        }
        else
        {
            _share?.Free(position, owner);
        }

        return true;
    }
}
