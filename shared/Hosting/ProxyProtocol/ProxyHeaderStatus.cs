namespace Trunkline.Hosting;

/// <summary>What the first bytes of a connection are.</summary>
public enum ProxyHeaderStatus
{
    /// <summary>Too few to tell, or a header that is not whole.</summary>
    NeedMore,

    /// <summary>No PROXY header.</summary>
    Absent,

    /// <summary>A whole header.</summary>
    Complete,

    /// <summary>A header that breaks the specification.</summary>
    Broken,
}
