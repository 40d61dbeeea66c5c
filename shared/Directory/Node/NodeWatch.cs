namespace Trunkline.Directory;

/// <summary>
/// Decides which nodes stood still for a full lease, as one watcher saw it. A stand counts only over an unbroken
/// connection, in one generation, and without a gap in the watcher's own readings: a watcher (or a directory) that
/// was itself paused has seen nothing, so it begins anew. Not thread-safe: one lease loop.
/// <code>
///   counter  7      7      7      7   | stand = sending of the last reading - arrival of the first one with 7
///   reading  s--r   s--r   s--r   s--r|
/// </code>
/// </summary>
internal sealed class NodeWatch(TimeProvider time, TimeSpan lease)
{
    private readonly Dictionary<NodeId, Stand> _stands = [];
    private readonly TimeSpan _largestGap = lease / 2;
    private string _generation = "";
    private long _connection;
    private long _lastReceived;

    /// <summary>Forgets all stands.</summary>
    internal void Break() => _stands.Clear();

    /// <summary>Takes one reading in and returns the nodes that stood still for a lease, with the counter they stood at.</summary>
    internal List<KeyValuePair<NodeId, long>> Read(
        string generation, long connection, long sent, long received, NodeId self, IReadOnlyList<KeyValuePair<NodeId, long>> counters)
    {
        if (generation != _generation || connection != _connection || time.GetElapsedTime(_lastReceived, sent) > _largestGap
            || time.GetElapsedTime(sent, received) > _largestGap)
        {
            _stands.Clear();
        }

        _generation = generation;
        _connection = connection;
        _lastReceived = received;
        List<KeyValuePair<NodeId, long>> still = [];
        foreach ((NodeId node, long counter) in counters)
        {
            if (node == self)
            {
                continue;
            }

            if (!_stands.TryGetValue(node, out Stand stand) || stand.Counter != counter)
            {
                _stands[node] = new Stand(counter, received);
            }
            else if (time.GetElapsedTime(stand.FirstReceived, sent) >= lease)
            {
                still.Add(new(node, counter));
            }
        }

        return still;
    }

    private readonly record struct Stand(long Counter, long FirstReceived);
}
