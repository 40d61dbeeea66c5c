using Trunkline.Transports;

namespace Trunkline.Interleavings;

/// <summary>The directory's own clock: that of the server it stands on, which may be behind the one before.</summary>
internal sealed class DirectoryTime(ManualTime clock) : TimeProvider
{
    private TimeSpan _behind;

    public override long TimestampFrequency => clock.TimestampFrequency;

    public override long GetTimestamp() => clock.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow() - _behind;

    /// <summary>Goes back.</summary>
    public void GoBack(int milliseconds) => _behind += TimeSpan.FromMilliseconds(milliseconds);
}
