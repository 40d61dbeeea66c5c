using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// What one receiver has for one other loop in one turn: messages with the filters they matched, and answers, in order.
/// Filled on the receiver's loop, run on the other, then given back to be used again.
/// </summary>
internal sealed class DispatchBatch(LoopOutbox outbox) : LoopWork
{
    private Entry[] _entries = new Entry[16];
    private UpstreamFilter[] _matches = new UpstreamFilter[16];
    private int _count;
    private int _matchCount;

    private struct Entry
    {
        public SharedMessage? Message;
        public LoopRequest? Answer;
        public int MatchStart;
        public int MatchCount;
    }

    /// <summary>Link of the list of batches given back.</summary>
    public DispatchBatch? Next { get; set; }

    public int Count => _count;

    /// <summary>Once it is run, everything up to here was dispatched.</summary>
    public LogPosition UpTo { get; set; }

    /// <summary>Adds a message with the filters it came for; without any it comes from the log beside a foreign broker.</summary>
    public void Add(SharedMessage message, ReadOnlySpan<UpstreamFilter> matches)
    {
        message.AddReference();
        while (_matchCount + matches.Length > _matches.Length)
        {
            Array.Resize(ref _matches, _matches.Length * 2);
        }

        matches.CopyTo(_matches.AsSpan(_matchCount));
        ref Entry entry = ref Append();
        entry.Message = message;
        entry.MatchStart = _matchCount;
        entry.MatchCount = matches.Length;
        _matchCount += matches.Length;
    }

    public void Add(LoopRequest answer) => Append().Answer = answer;

    /// <inheritdoc/>
    protected override void Run()
    {
        LoopRouter router = outbox.Router;
        for (int i = 0; i < _count; i++)
        {
            ref Entry entry = ref _entries[i];
            if (entry.Message is { } message)
            {
                if (entry.MatchCount > 0)
                {
                    router.Dispatch(message, _matches.AsSpan(entry.MatchStart, entry.MatchCount), outbox.Group);
                }
                else
                {
                    router.DispatchLogged(message, outbox.Group);
                }

                if (entry.MatchCount == 0 || !_matches[entry.MatchStart].IsShared)
                {
                    // What a share hands out comes out of the log's order.
                    router.Advance(outbox.Group.Index, message.Position);
                }

                message.Release();
            }
            else
            {
                entry.Answer!.OnAnswer(router);
            }

            entry = default;
        }

        router.Advance(outbox.Group.Index, UpTo);
        int done = _count;
        _count = 0;
        _matchCount = 0;
        outbox.GiveBack(this, done);
    }

    private ref Entry Append()
    {
        if (_count == _entries.Length)
        {
            Array.Resize(ref _entries, _entries.Length * 2);
        }

        return ref _entries[_count++];
    }
}
