namespace Trunkline.Loadtest;

/// <summary>One storm.</summary>
/// <param name="Dropped">Clients that stood before.</param>
/// <param name="Back">Clients that stood again within the time.</param>
/// <param name="HalfUs">Time until half were back.</param>
/// <param name="Share99Us">Until 99% were back.</param>
/// <param name="AllUs">Until all were back.</param>
internal sealed record StormResult(long Dropped, long Back, double? HalfUs, double? Share99Us, double? AllUs);
