namespace Trunkline.Loadtest;

/// <summary>What one loop counts; a value, so that a sample of it is a copy.</summary>
internal struct Counters
{
    /// <summary>Connections that stand now, MQTT included.</summary>
    public long Connected;

    /// <summary>Connections that came to stand, repeats included.</summary>
    public long Connects;

    /// <summary>Attempts that failed: transport, refusal, SUBACK with a failure, no answer in time.</summary>
    public long ConnectFailures;

    /// <summary>Connections that ended without our doing.</summary>
    public long Disconnects;

    /// <summary>PUBLISH packets sent, without repeats.</summary>
    public long Published;

    /// <summary>Of these, those due within the measured time.</summary>
    public long PublishedMeasured;

    /// <summary>PUBLISH packets sent again after a connection was lost.</summary>
    public long Repeated;

    /// <summary>QoS 1: PUBACK; QoS 2: PUBCOMP.</summary>
    public long Acknowledged;

    /// <summary>Acknowledgements that refuse (MQTT 5.0).</summary>
    public long Refused;

    /// <summary>Messages that were due and could not be sent: window full, transport full or not connected.</summary>
    public long Backlog;

    /// <summary>Deliveries that must come for what was published so far.</summary>
    public long Expected;

    /// <summary>First copies received.</summary>
    public long Delivered;

    /// <summary>First copies received within the measured time, whenever due.</summary>
    public long DeliveredMeasured;

    /// <summary>Payload bytes of these.</summary>
    public long DeliveredBytes;

    /// <summary>Second and further copies.</summary>
    public long Duplicates;

    /// <summary>First copies that came after a later message of the same publisher.</summary>
    public long Reordered;

    /// <summary>Messages of another run or of somebody else.</summary>
    public long Foreign;

    /// <summary>Cycles of churn that ended well.</summary>
    public long Cycles;

    /// <summary>Adds another loop's.</summary>
    public void Add(in Counters other)
    {
        Connected += other.Connected;
        Connects += other.Connects;
        ConnectFailures += other.ConnectFailures;
        Disconnects += other.Disconnects;
        Published += other.Published;
        PublishedMeasured += other.PublishedMeasured;
        Repeated += other.Repeated;
        Acknowledged += other.Acknowledged;
        Refused += other.Refused;
        Backlog += other.Backlog;
        Expected += other.Expected;
        Delivered += other.Delivered;
        DeliveredMeasured += other.DeliveredMeasured;
        DeliveredBytes += other.DeliveredBytes;
        Duplicates += other.Duplicates;
        Reordered += other.Reordered;
        Foreign += other.Foreign;
        Cycles += other.Cycles;
    }
}
