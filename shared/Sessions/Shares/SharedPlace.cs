using Trunkline.Topics;

namespace Trunkline.Sessions;

/// <summary>One message of one shared subscription.</summary>
/// <param name="Share">The share name and filter, as subscribed.</param>
/// <param name="Group">The group whose log has the message.</param>
/// <param name="Position">Its place there.</param>
public readonly record struct SharedPlace(TopicFilterText Share, int Group, LogPosition Position);
