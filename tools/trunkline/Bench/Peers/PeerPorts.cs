namespace Trunkline.Tool.Bench.Peers;

/// <summary>
/// Ports of a bench, counted from its base port P. Peers take what a tier without nginx leaves free:
/// <code>
/// P .. P+99     a tier of ours; P+3 .. P+7 mosquitto, nginx, haproxy, FlashMQ, the floor of TLS
/// P+100 ..      a second tier, in rows that need two
/// </code>
/// </summary>
internal sealed record PeerPorts(int BasePort)
{
    public const int Span = 200;

    public int Mosquitto => BasePort + 3;

    public int Nginx => BasePort + 4;

    public int Haproxy => BasePort + 5;

    public int FlashMq => BasePort + 6;

    public int Floor => BasePort + 7;

    /// <summary>Base port of a tier of ours, 0 or 1.</summary>
    public int Tier(int slot) => BasePort + (100 * slot);
}
