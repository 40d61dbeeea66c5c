using System.Buffers;
using System.Buffers.Text;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links;

/// <summary>What a loop says of messages of shares that its sessions have.</summary>
internal enum ShareWord : byte
{
    /// <summary>Acknowledged, or passed over.</summary>
    Done,

    /// <summary>Somebody else is to get it.</summary>
    Back,

    /// <summary>A QoS 2 exchange is about to begin: is it this session's? Answered.</summary>
    Take,

    /// <summary>It was, but the session is gone without having begun.</summary>
    Free,
}

/// <summary>
/// What one loop has to say to a group of its shares in one turn, or what the receiver says itself. Kept until it is
/// answered, and sent again on the next connection; then the answer goes back to the loop.
/// </summary>
internal sealed class ShareReport(GroupReceiver receiver, int loop) : LoopRequest(receiver, loop)
{
    private const int MaximumItems = 5_000;
    private const int MaximumFilterBytes = 256 * 1024;

    private readonly List<Item> _items = [];
    private int _filterBytes;

    /// <summary>One message.</summary>
    /// <param name="Word">What is said.</param>
    /// <param name="Share">Its share.</param>
    /// <param name="Position">Its place.</param>
    /// <param name="Session">Take and free: whose it is to be.</param>
    /// <param name="PacketId">Take: its packet identifier there.</param>
    public readonly record struct Item(ShareWord Word, TopicFilterText Share, LogPosition Position, Session? Session, ushort PacketId);

    public IReadOnlyList<Item> Items => _items;

    /// <summary>Whether it is so large that the next one has to begin.</summary>
    public bool IsFull => _items.Count >= MaximumItems || _filterBytes >= MaximumFilterBytes;

    /// <summary>The broker's answer: one letter for each take, in order.</summary>
    public byte[] Answers { get; set; } = [];

    public void Add(in Item item)
    {
        if (_items.Count == 0 || _items[^1].Share != item.Share)
        {
            _filterBytes += item.Share.Text.Length;
        }

        _items.Add(item);
    }

    /// <summary>The lines.</summary>
    public void Write(ShareLines lines)
    {
        foreach (Item item in _items)
        {
            lines.Share(item.Share);
            switch (item.Word)
            {
                case ShareWord.Done:
                    lines.Position("done "u8, item.Position);
                    break;
                case ShareWord.Back:
                    lines.Position("back "u8, item.Position);
                    break;
                case ShareWord.Take:
                    lines.Owned("take "u8, item.Session!.Origin, item.Position);
                    break;
                default:
                    lines.Owned("free "u8, item.Session!.Origin, item.Position);
                    break;
            }
        }
    }

    public override void OnAnswer(LoopRouter router) => router.OnAnswer(this);

    protected override void Take() => Receiver.Shares.Take(this);
}

/// <summary>Writes the lines of a report: the share where it changes, positions of one kind on one line. Used again.</summary>
internal sealed class ShareLines
{
    private readonly ArrayBufferWriter<byte> _output = new(1024);
    private TopicFilterText _share;
    private byte _kind;
    private ulong _term;

    public ReadOnlySpan<byte> Text => _output.WrittenSpan;

    public void Clear()
    {
        _output.ResetWrittenCount();
        _share = default;
        _kind = 0;
    }

    public void Share(TopicFilterText share)
    {
        if (_share == share)
        {
            return;
        }

        _share = share;
        Begin("share "u8);
        _output.Write(share.Text);
    }

    public void Members(int connected, int capacity, SharedStrategy strategy)
    {
        Begin("members "u8);
        Number((ulong)connected);
        _output.Write(" "u8);
        Number((ulong)capacity);
        _output.Write(" "u8);
        foreach (char letter in SharedStrategies.NameOf(strategy))
        {
            _output.Write([(byte)letter]);
        }
    }

    public void Position(ReadOnlySpan<byte> kind, LogPosition position)
    {
        if (_kind == kind[0])
        {
            _output.Write(" "u8);
        }
        else
        {
            Begin(kind);
            _kind = kind[0];
        }

        Place(position);
    }

    public void Owned(ReadOnlySpan<byte> kind, ulong owner, LogPosition position)
    {
        Begin(kind);
        Span<byte> text = _output.GetSpan(16);
        Utf8Formatter.TryFormat(owner, text, out int written, new StandardFormat('x'));
        _output.Advance(written);
        _output.Write(" "u8);
        Place(position);
    }

    private void Begin(ReadOnlySpan<byte> name)
    {
        if (_output.WrittenCount > 0)
        {
            _output.Write("\n"u8);
        }

        _output.Write(name);
        _kind = 0;
        _term = 0;
    }

    private void Place(LogPosition position)
    {
        if (position.Term != _term)
        {
            _term = position.Term;
            Number(position.Term);
            _output.Write(":"u8);
        }

        Number(position.Offset);
    }

    private void Number(ulong value)
    {
        Span<byte> text = _output.GetSpan(20);
        Utf8Formatter.TryFormat(value, text, out int written);
        _output.Advance(written);
    }
}
