using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// Which messages a log holds or held, by identity: the numbers of publish links and the ids that came by another way. What
/// is common to a log in memory and one in files. Loop thread only.
/// </summary>
internal sealed class LogIdentities(LogBlocks blocks, LogProducers producers, LogIds ids)
{
    public LogProducers Producers => producers;

    public LogIds Ids => ids;

    /// <summary>A message was appended.</summary>
    public void Add(in LogRecord record, long ordinal, LogPosition position)
    {
        record.Producer?.Pass(record.Number, position);
        if (record.Id is { } id)
        {
            ids.Add(id, ordinal);
        }
    }

    /// <inheritdoc cref="IGroupLog.TryFind"/>
    public bool TryFind(in MessageId id, out LogPosition position)
    {
        if (ids.TryFind(id, out long ordinal))
        {
            position = blocks.Terms.PositionOf(ordinal);
            return true;
        }

        LogProducer? producer = producers.Find(id.Node, id.Link);
        position = producer?.LastPosition ?? default;
        return producer?.Has(id.Number) ?? false;
    }
}
