namespace Trunkline.Loadtest;

/// <summary>A message that came later than --late allows. Field names are a contract; times are of the machine's monotonic clock.</summary>
/// <param name="Client">The subscriber's number in the plan.</param>
/// <param name="DueNs">When it was due to be sent.</param>
/// <param name="ArrivedNs">When it came.</param>
internal readonly record struct LateArrival(int Client, long DueNs, long ArrivedNs);
