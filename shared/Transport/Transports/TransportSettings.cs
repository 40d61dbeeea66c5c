namespace Trunkline.Transports;

/// <summary>Limits of a transport; one object is shared by all transports of a listener.</summary>
public sealed record TransportSettings
{
    /// <summary>The settings where nothing else is said.</summary>
    public static TransportSettings Default { get; } = new();

    /// <summary>A peer that takes nothing for this long while bytes wait for it is closed, in ms.</summary>
    public int SendTimeoutMs { get; init; } = 30_000;

    /// <summary>Above this many unsent bytes the handler should stop writing; it hears <see cref="ITransportHandler.OnWritable"/> later.</summary>
    public int HighWaterBytes { get; init; } = 64 * 1024;

    /// <summary>The unsent bytes at which a handler that stopped is told to go on.</summary>
    public int LowWaterBytes { get; init; } = 16 * 1024;

    /// <summary>A write that begins while more than this many bytes are unsent closes the connection: its writer does not heed the marks.</summary>
    public int MaximumUnsentBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Whether a connection that holds more than 64 KiB of a packet that is not whole is closed when memory is short.</summary>
    public bool ShedsInput { get; init; }

    /// <summary>How long a closed connection is kept to let the peer read our last bytes and close, in ms.</summary>
    public int LingerMs { get; init; } = 1_000;
}
