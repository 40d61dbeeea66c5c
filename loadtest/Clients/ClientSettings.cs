using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Loadtest;

/// <summary>What all clients of a run have in common. Immutable; any thread.</summary>
internal sealed class ClientSettings
{
    /// <summary>Takes it from the options.</summary>
    public ClientSettings(LoadOptions options, uint run, LoadClock clock)
    {
        Options = options;
        Run = run;
        Clock = clock;
        Password = options.Password is null ? null : Encoding.UTF8.GetBytes(options.Password);
        SubscribeQoS = options.SubscribeQoS ?? options.QoS;
        KeepAliveMs = options.KeepAliveSeconds * 1000L;
        ConnectTimeoutMs = (long)options.ConnectTimeout.TotalMilliseconds;
        byte[] filler = new byte[options.PayloadBytes];
        for (int i = 0; i < filler.Length; i++)
        {
            filler[i] = (byte)('a' + (i % 26));
        }

        Filler = filler;
    }

    /// <summary>The options.</summary>
    public LoadOptions Options { get; }

    /// <summary>Names the run in payloads.</summary>
    public uint Run { get; }

    /// <summary>The clock.</summary>
    public LoadClock Clock { get; }

    /// <summary>Protocol version.</summary>
    public ProtocolVersion Version => Options.Version;

    /// <summary>Password; null for none.</summary>
    public byte[]? Password { get; }

    /// <summary>QoS of subscriptions.</summary>
    public QoS SubscribeQoS { get; }

    /// <summary>Keep alive; 0 is none.</summary>
    public long KeepAliveMs { get; }

    /// <summary>Time for one attempt.</summary>
    public long ConnectTimeoutMs { get; }

    /// <summary>A payload without its stamp.</summary>
    public byte[] Filler { get; }
}
