namespace Trunkline.Hosting;

/// <summary>Whether connections begin with a PROXY header.</summary>
public enum ProxyProtocolMode
{
    /// <summary>Not looked for.</summary>
    Off,

    /// <summary>The first bytes decide.</summary>
    Optional,

    /// <summary>Connections without one are refused.</summary>
    Required,
}
