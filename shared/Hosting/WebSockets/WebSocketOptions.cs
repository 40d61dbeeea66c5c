namespace Trunkline.Hosting;

/// <summary>WebSocket of a listener; <c>Listeners:n:WebSocket</c>.</summary>
public sealed record WebSocketOptions
{
    /// <summary>The path that is answered.</summary>
    public string Path { get; init; } = "/mqtt";

    /// <summary>Time from accept (or the end of TLS) to a whole request.</summary>
    public TimeSpan HeaderDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Size of the request line and all headers at most, in bytes.</summary>
    public int MaximumHeaderBytes { get; init; } = 16 * 1024;

    /// <summary>Payload of one frame at most, in bytes; a larger one closes with 1009.</summary>
    public long MaximumFrameBytes { get; init; } = 256L * 1024 * 1024 + 64;

    /// <summary>Whose X-Forwarded-For is believed, in CIDR notation.</summary>
    public IReadOnlyList<string> ForwardedForTrustedAddresses { get; init; } = ["127.0.0.0/8", "::1/128"];

    internal void Validate(string path, ICollection<string> errors)
    {
        if (!Path.StartsWith('/'))
        {
            errors.Add($"{path}:Path is \"{Path}\"; it must begin with a slash.");
        }

        if (!ListenerOptions.IsDuration(HeaderDeadline))
        {
            errors.Add($"{path}:HeaderDeadlineMs is {HeaderDeadline.TotalMilliseconds}; set it between 100 and 86400000.");
        }

        if (MaximumHeaderBytes is < 1024 or > 1024 * 1024)
        {
            errors.Add($"{path}:MaximumHeaderBytes is {MaximumHeaderBytes}; it must be from 1024 to 1048576.");
        }

        if (MaximumFrameBytes < 1024)
        {
            errors.Add($"{path}:MaximumFrameBytes is {MaximumFrameBytes}; it must be at least 1024.");
        }

        AddressRanges.Validate(ForwardedForTrustedAddresses, $"{path}:ForwardedForTrustedAddresses", errors);
    }
}
