using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>One filter of a receive link, as it stands in the index.</summary>
/// <param name="Link">The link.</param>
/// <param name="Subscription">Its subscription: the identifier is read from it, because subscribing again replaces it.</param>
internal readonly record struct LinkFilter(ReceiveLink Link, SessionSubscription Subscription);
