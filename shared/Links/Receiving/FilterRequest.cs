using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links;

/// <summary>What a loop asks of a group's receiver about one filter, and the answer on the way back.</summary>
internal sealed class FilterRequest(GroupReceiver receiver, RequestKind kind, int loop, TopicFilterText text)
    : LoopRequest(receiver, loop)
{
    public RequestKind Kind { get; } = kind;

    public TopicFilterText Text { get; } = text;

    /// <summary>The subscription concerned, on the asking loop.</summary>
    public LiveSubscription? Live { get; init; }

    /// <summary>The operation that waits, on the asking loop; null when none does.</summary>
    public PendingItem? Item { get; init; }

    public bool WantsRetained { get; init; }

    /// <summary>Page: whether a restored session asks, whose log has everything behind its start.</summary>
    public bool IsOfRestore { get; init; }

    /// <summary>Page: whether only what the session has skipped of the log is asked for (<see cref="Session.IsSkipped"/>).</summary>
    public bool IsOfSkipped { get; init; }

    /// <summary>Whether logged messages come by the log beside the foreign broker, so that the start is a position there.</summary>
    public bool IsFedByLog { get; init; }

    /// <summary>Subscribe, shared only: whether a session that may be away holds it.</summary>
    public bool IsLasting { get; init; }

    /// <summary>Members: how many are connected.</summary>
    public int Count { get; init; }

    /// <summary>Members: messages they take at a time.</summary>
    public int Capacity { get; init; }

    /// <summary>Page: where it begins, and the sequence above which entries are left out.</summary>
    public byte[]? Cursor { get; set; }

    public ulong Since { get; set; }

    // ---- the answer

    public UpstreamFilter? Filter { get; set; }

    public ReasonCode Reason { get; set; }

    /// <summary>Messages at or below it are not delivered by this subscription.</summary>
    public LogPosition Start { get; set; }

    /// <summary>Retained messages, as PUBLISH packets one after the other; null for none.</summary>
    public byte[]? Page { get; set; }

    /// <summary>What the page leaves out because it is newer lies up to here in the log; <see cref="LogPosition.None"/> for nothing.</summary>
    public LogPosition NewerUpTo { get; set; }

    /// <summary>Whether retained messages follow apart from this answer, from a replay connection.</summary>
    public bool IsReplayed { get; set; }

    /// <summary>On the asking loop: whether live topics are remembered until its page is delivered.</summary>
    public bool IsGuarded { get; set; }

    /// <summary>Whether pages of its replay were handed over; on the receiver's loop.</summary>
    public bool HasPages { get; set; }

    /// <summary>Whether this is the first page of a replay.</summary>
    public bool IsFirst { get; init; }

    /// <summary>Whether this is the last page of a replay.</summary>
    public bool IsLast { get; set; }

    public override void OnAnswer(LoopRouter router) => router.OnAnswer(this);

    protected override void Take() => Receiver.Take(this);
}

/// <summary>What is asked.</summary>
internal enum RequestKind : byte
{
    /// <summary>Make a filter live for a subscription, with its retained messages if wanted.</summary>
    Subscribe,

    /// <summary>The loop holds no subscription of the filter any more.</summary>
    Release,

    /// <summary>The next page of retained messages.</summary>
    Page,

    /// <summary>The number of connected members of a shared subscription has changed.</summary>
    Members,
}
