namespace Trunkline.Hosting.Management;

/// <summary>How a process stands, for <c>/startupz</c> and <c>/readyz</c>.</summary>
/// <param name="HasStarted">Whether everything it needs was there at least once; stays true.</param>
/// <param name="IsReady">Whether it serves: whether a load balancer may send it devices.</param>
/// <param name="Lines">What is the matter, or how its parts stand; a sentence each.</param>
public sealed record HealthReport(bool HasStarted, bool IsReady, IReadOnlyList<string> Lines);
