namespace Trunkline.Hosting;

/// <summary>PROXY protocol of a listener; <c>Listeners:n:ProxyProtocol</c>.</summary>
public sealed record ProxyProtocolOptions
{
    /// <summary>Whether connections begin with a PROXY header.</summary>
    public ProxyProtocolMode Mode { get; init; } = ProxyProtocolMode.Optional;

    /// <summary>Who may send one, in CIDR notation; a header from anyone else is refused.</summary>
    public IReadOnlyList<string> TrustedAddresses { get; init; } = ["127.0.0.0/8", "::1/128"];

    /// <summary>Time from accept until the first bytes have decided.</summary>
    public TimeSpan HeaderDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Size of a version 2 header at most, in bytes; the certificates a load balancer passes on stand in it.</summary>
    public int MaximumHeaderBytes { get; init; } = 16 * 1024;

    internal void Validate(string path, ICollection<string> errors)
    {
        AddressRanges.Validate(TrustedAddresses, $"{path}:TrustedAddresses", errors);
        if (!ListenerOptions.IsDuration(HeaderDeadline))
        {
            errors.Add($"{path}:HeaderDeadlineMs is {HeaderDeadline.TotalMilliseconds}; set it between 100 and 86400000.");
        }

        if (MaximumHeaderBytes is < 232 or > 65_551)
        {
            // 16 bytes and two addresses of 108, the longest; 16 bytes and what a length of two bytes can tell.
            errors.Add($"{path}:MaximumHeaderBytes is {MaximumHeaderBytes}; it must be from 232 to 65551.");
        }

        if (Mode == ProxyProtocolMode.Required && TrustedAddresses.Count == 0)
        {
            errors.Add($"{path}:Mode is required but {path}:TrustedAddresses is empty, so every connection would be refused; name your load balancers there.");
        }
    }
}
