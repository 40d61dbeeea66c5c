namespace Trunkline.Hosting.Tests.Support;

/// <summary>How long a test waits for what should come at once.</summary>
internal static class Deadline
{
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(60);
}
