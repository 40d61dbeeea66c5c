using System.Buffers;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links;

/// <summary>
/// One page of a group's log, read for all sessions of a loop that stand at (nearly) the same place: the union of their
/// filters in one <c>$trunkline/log</c> request. Belongs to the asking loop, while it is asked to the receiver's.
/// </summary>
internal sealed class LogScan(BacklogReader reader, GroupReceiver receiver, int loop) : LogRequest(receiver, loop)
{
    /// <summary>What the broker says when retention took messages from before a page; the page itself is whole.</summary>
    public const string Lost = "lost";

    private readonly ArrayBufferWriter<byte> _request = new(256);
    private readonly List<ScanFilter> _filters = [];
    private FilterIndex<ScanFilter> _index = new();
    private byte[] _page = [];

    /// <summary>The sessions it reads for.</summary>
    public List<BacklogRead> Readers { get; } = [];

    /// <summary>Up to here the page is whole.</summary>
    public LogPosition UpTo { get; private set; }

    /// <summary>What the broker says was wrong; null when nothing was.</summary>
    public string? Error { get; private set; }

    /// <summary>Whether the page counts in spite of the error: retention took messages before it.</summary>
    public bool IsUsable => Error == Lost;

    /// <summary>Messages of the log behind the page, of whatever topic; 0 at its end.</summary>
    public long Left { get; private set; }

    public ReadOnlySpan<byte> Page => _page.AsSpan(0, PageBytes);

    public int PageBytes { get; private set; }

    /// <summary>How far the page was delivered.</summary>
    public int Offset { get; set; }

    public int FilterCount => _filters.Count;

    /// <summary>The request's payload, once built.</summary>
    public override ReadOnlySpan<byte> Request => _request.WrittenSpan;

    /// <summary>Adds a filter of a reader.</summary>
    public void Add(LiveSubscription live, BacklogRead read)
    {
        TopicFilterText text = live.Filter.Text;
        ScanFilter filter;
        if (_index.TryGet(text.Filter, out FilterValues<ScanFilter> values))
        {
            filter = values[0];
        }
        else
        {
            filter = new ScanFilter(text);
            _filters.Add(filter);
            _index.Add(text, filter);
        }

        filter.IsAsked |= live.Subscription.Options.QoS > Protocol.QoS.AtMostOnce;
        filter.Readers.Add((live, read));
    }

    /// <summary>The filters of the scan that match a topic.</summary>
    public void Match(ReadOnlySpan<byte> topic, List<ScanFilter> matching)
    {
        var collector = new Collector(matching);
        _index.Match(topic, ref collector);
    }

    /// <summary>Writes the request. With more filters than it takes the page holds more than is wanted; the index here picks.</summary>
    public void Build(int maximumFilters, int pageBytes, int ageSeconds)
    {
        var text = new LogRequestText(_request);
        text.Begin(From);
        text.Filters([.. _filters.Where(filter => filter.IsAsked).Select(filter => filter.Text)], maximumFilters);
        text.Age(ageSeconds);
        text.Bytes(pageBytes);
        MaximumBytes = pageBytes;
        AgeSeconds = ageSeconds;
    }

    public override void TakeNumbers(long skipped, long left, long aged) => Left = left;

    /// <summary>Takes the reply; copies the page, for its bytes live in the receive buffer.</summary>
    public override void TakePage(ReadOnlySpan<byte> page, LogPosition upTo, string? error)
    {
        if (_page.Length < page.Length)
        {
            GiveBackPage();
            _page = ArrayPool<byte>.Shared.Rent(page.Length);
        }

        page.CopyTo(_page);
        PageBytes = page.Length;
        UpTo = upTo > From ? upTo : From;
        Error = error;
    }

    /// <summary>The page cannot be read: nothing of it counts but what was delivered.</summary>
    public void Break() => Error = "The page is not made of PUBLISH packets.";

    /// <summary>Makes it ready for other readers; keeps no page.</summary>
    public void Reset()
    {
        GiveBackPage();
        Readers.Clear();
        _filters.Clear();
        _index = new FilterIndex<ScanFilter>();
        Offset = 0;
        Error = null;
    }

    public override void OnAnswer(LoopRouter router) => reader.OnPage(this);

    private void GiveBackPage()
    {
        if (_page.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_page);
            _page = [];
        }

        PageBytes = 0;
    }

    private readonly struct Collector(List<ScanFilter> matching) : IFilterCollector<ScanFilter>
    {
        public void Add(ScanFilter value) => matching.Add(value);
    }
}
