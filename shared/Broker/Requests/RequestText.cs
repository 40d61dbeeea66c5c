using System.Buffers.Text;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>The lines of a request's payload, <c>name value</c> each; read once, everything checked.</summary>
internal sealed class RequestText
{
    /// <summary>From so many filters on an index finds those that match; below it trying each is cheaper.</summary>
    private const int IndexedFilters = 8;

    private readonly List<TopicFilterText> _filters = [];
    private FilterIndex<TopicFilterText>? _index;

    private readonly BrokerOptions _options;
    private readonly List<LogPosition> _at = [];

    private RequestText(BrokerOptions options) => _options = options;

    public IReadOnlyList<TopicFilterText> Filters => _filters;

    public TopicCursor Cursor { get; private set; }

    public ulong? Since { get; private set; }

    public int? Bytes { get; private set; }

    /// <summary>Milliseconds after which a message is too old to be wanted; null for never.</summary>
    public long? AgeMs { get; private set; }

    public LogPosition? From { get; private set; }

    /// <summary>Where the wanted messages stand, rising; empty for wherever they stand.</summary>
    public IReadOnlyList<LogPosition> At => _at;

    /// <summary>The newest messages that count, in number and bytes; null for all.</summary>
    public (long Messages, long Bytes)? Newest { get; private set; }

    /// <summary>Reads the lines; <paramref name="error"/> is a sentence when one of them is wrong.</summary>
    public static RequestText? TryParse(ReadOnlySpan<byte> payload, TopicLimits limits, BrokerOptions options, out string error)
    {
        var request = new RequestText(options);
        error = "";
        while (!payload.IsEmpty)
        {
            int end = payload.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? payload : payload[..end];
            payload = end < 0 ? default : payload[(end + 1)..];
            if (!line.IsEmpty && !request.Take(line, limits, out error))
            {
                return null;
            }
        }

        return request;
    }

    /// <summary>What pieces of the log must hold one of to be worth reading; null for any.</summary>
    /// <param name="tenantLevels">First levels of a topic that name its tenant.</param>
    public TopicsWanted? Wanted(int tenantLevels) => TopicsWanted.Of(_filters, tenantLevels);

    /// <summary>Whether a message is older than is wanted.</summary>
    public bool IsAged(in LogRecord record, long nowMs) => AgeMs is { } age && nowMs - record.AppendedAtMs > age;

    /// <summary>Whether any of the filters matches a topic.</summary>
    public bool Matches(ReadOnlySpan<byte> topic)
    {
        if (_filters.Count >= IndexedFilters)
        {
            var found = default(Found);
            Index().Match(topic, ref found);
            return found.Any;
        }

        foreach (TopicFilterText filter in _filters)
        {
            if (TopicMatcher.Matches(filter.Filter, topic))
            {
                return true;
            }
        }

        return false;
    }

    private FilterIndex<TopicFilterText> Index()
    {
        if (_index is null)
        {
            _index = new FilterIndex<TopicFilterText>();
            foreach (TopicFilterText filter in _filters)
            {
                _index.Add(filter, filter);
            }
        }

        return _index;
    }

    private bool Take(ReadOnlySpan<byte> line, TopicLimits limits, out string error)
    {
        int space = line.IndexOf((byte)' ');
        ReadOnlySpan<byte> name = space < 0 ? line : line[..space];
        ReadOnlySpan<byte> value = space < 0 ? default : line[(space + 1)..];
        error = "";
        if (name.SequenceEqual("filter"u8))
        {
            return TakeFilter(value, limits, out error);
        }

        if (name.SequenceEqual("at"u8))
        {
            return TakeAt(value, out error);
        }

        bool isRight;
        if (name.SequenceEqual("cursor"u8))
        {
            isRight = TakeCursor(value);
        }
        else if (name.SequenceEqual("since"u8))
        {
            isRight = Utf8Parser.TryParse(value, out ulong since, out int used) && used == value.Length;
            Since = since;
        }
        else if (name.SequenceEqual("bytes"u8))
        {
            isRight = Utf8Parser.TryParse(value, out int bytes, out int used) && used == value.Length && bytes > 0;
            Bytes = bytes;
        }
        else if (name.SequenceEqual("age"u8))
        {
            isRight = Utf8Parser.TryParse(value, out uint seconds, out int used) && used == value.Length && seconds > 0;
            AgeMs = seconds * 1000L;
        }
        else if (name.SequenceEqual("newest"u8))
        {
            isRight = TakeNewest(value);
        }
        else if (name.SequenceEqual("from"u8))
        {
            isRight = LinkText.TryParsePosition(value, out LogPosition from);
            From = from;
        }
        else
        {
            error = "A line of the request has a name that is not known: use filter, cursor, since, bytes, age, from, at or newest.";
            return false;
        }

        error = isRight ? "" : "A line of the request has a malformed value.";
        return isRight;
    }

    private bool TakeFilter(ReadOnlySpan<byte> value, TopicLimits limits, out string error)
    {
        error = "";
        if (_filters.Count >= _options.RequestFiltersMaximum)
        {
            error = $"The request names more than {_options.RequestFiltersMaximum} filters (Broker:RequestFiltersMaximum).";
        }
        else if (!TopicFilterText.TryParse(value, limits, out TopicFilterText filter, out _))
        {
            error = "The request names a malformed topic filter.";
        }
        else if (filter.IsShared)
        {
            error = "The request names a shared filter.";
        }
        else
        {
            _filters.Add(filter);
        }

        return error.Length == 0;
    }

    private bool TakeAt(ReadOnlySpan<byte> value, out string error)
    {
        error = "";
        ulong term = 0;
        foreach (Range range in value.Split((byte)' '))
        {
            if (_at.Count >= _options.RequestPositionsMaximum)
            {
                error = $"The request names more than {_options.RequestPositionsMaximum} positions (Broker:RequestPositionsMaximum).";
                break;
            }

            if (!PositionText.TryRead(value[range], ref term, out LogPosition position) || (_at.Count > 0 && position <= _at[^1]))
            {
                error = "The positions of a request are malformed, or do not rise.";
                break;
            }

            _at.Add(position);
        }

        return error.Length == 0;
    }

    private bool TakeNewest(ReadOnlySpan<byte> value)
    {
        int space = value.IndexOf((byte)' ');
        if (space < 0 || !Utf8Parser.TryParse(value, out long messages, out int used) || used != space
            || !Utf8Parser.TryParse(value[(space + 1)..], out long bytes, out used) || used != value.Length - space - 1
            || messages < 0 || bytes < 0)
        {
            return false;
        }

        Newest = (messages, bytes);
        return true;
    }

    private bool TakeCursor(ReadOnlySpan<byte> hex)
    {
        if (hex.Length % 2 != 0 || hex.Length > 2 * (TopicLimits.LargestBytes + 1))
        {
            return false;
        }

        var token = new byte[hex.Length / 2];
        if (Convert.FromHexString(hex, token, out _, out _) != System.Buffers.OperationStatus.Done
            || !TopicCursor.TryFromToken(token, out TopicCursor cursor))
        {
            return false;
        }

        Cursor = cursor;
        return true;
    }

    private struct Found : IFilterCollector<TopicFilterText>
    {
        public bool Any { get; private set; }

        public void Add(TopicFilterText value) => Any = true;
    }
}
