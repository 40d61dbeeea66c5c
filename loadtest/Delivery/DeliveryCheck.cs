using System.Runtime.InteropServices;

namespace Trunkline.Loadtest;

/// <summary>
/// Everything one subscriber got, publisher by publisher. Publishers of this process are numbered from 0 and begin at 0;
/// for those of other processes (<see cref="Run"/> null) the first message seen is the beginning. Loop thread only.
/// </summary>
internal sealed class DeliveryCheck(uint? run)
{
    private DeliveryStream[] _byPublisher = [];
    private Dictionary<(uint Run, uint Publisher), DeliveryStream>? _others;

    /// <summary>The run whose messages count; null for all.</summary>
    public uint? Run => run;

    /// <summary>Takes a message; false when it is foreign.</summary>
    public bool TryObserve(in MessageStamp stamp, out Arrival arrival)
    {
        arrival = default;
        if (run is null)
        {
            arrival = ObserveOther(stamp);
            return true;
        }

        if (stamp.Run != run || stamp.Publisher > int.MaxValue / 2)
        {
            return false;
        }

        if (stamp.Publisher >= _byPublisher.Length)
        {
            Array.Resize(ref _byPublisher, (int)Math.Max(stamp.Publisher + 1, (uint)_byPublisher.Length * 2));
        }

        arrival = _byPublisher[stamp.Publisher].Observe(stamp.Sequence);
        return true;
    }

    /// <summary>Messages of a publisher that never came, when it sent so many.</summary>
    public long MissingOf(int publisher, uint sent) =>
        publisher < _byPublisher.Length ? _byPublisher[publisher].MissingOf(sent) : sent;

    /// <summary>Messages of other processes' publishers that are missing between the first and the last received.</summary>
    public long MissingOfOthers()
    {
        long missing = 0;
        foreach (DeliveryStream stream in _others?.Values.AsEnumerable() ?? [])
        {
            missing += stream.MissingOf(null);
        }

        return missing;
    }

    private Arrival ObserveOther(in MessageStamp stamp)
    {
        _others ??= [];
        ref DeliveryStream stream = ref CollectionsMarshal.GetValueRefOrAddDefault(_others, (stamp.Run, stamp.Publisher), out bool exists);
        if (!exists)
        {
            stream = DeliveryStream.StartingAt(stamp.Sequence);
        }

        return stream.Observe(stamp.Sequence);
    }
}
