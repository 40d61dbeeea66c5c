namespace Trunkline.Sessions;

/// <summary>How a member of a shared subscription is chosen for a message.</summary>
public enum SharedStrategy
{
    /// <summary>In turn, among those with room.</summary>
    RoundRobin,

    /// <summary>By chance, among those with room.</summary>
    Random,

    /// <summary>Who has the fewest messages not acknowledged.</summary>
    LeastInFlight,

    /// <summary>The same one as before, as long as it is connected; waits for it.</summary>
    Sticky,

    /// <summary>By the hash of the publishing client's identifier; waits for that member.</summary>
    HashClient,

    /// <summary>By the hash of the topic; waits for that member.</summary>
    HashTopic,
}
