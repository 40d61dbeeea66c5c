namespace Trunkline.Loadtest;

/// <summary>A process in one sample.</summary>
/// <param name="Name">Its name.</param>
/// <param name="CpuShare">Share of one core: 1.5 is one core and a half.</param>
/// <param name="RssBytes">Resident memory.</param>
internal sealed record ProcessSecond(string Name, double CpuShare, long RssBytes);
