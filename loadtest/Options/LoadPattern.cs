namespace Trunkline.Loadtest;

/// <summary>Who connects, publishes and subscribes.</summary>
internal enum LoadPattern
{
    /// <summary>Connect and stay idle.</summary>
    Conn,

    /// <summary>All clients publish.</summary>
    Pub,

    /// <summary>All clients subscribe; others publish.</summary>
    Sub,

    /// <summary>Each client does both.</summary>
    PubSub,

    /// <summary>All clients publish to one wildcard subscriber.</summary>
    FanIn,

    /// <summary>One publisher, all clients subscribe.</summary>
    FanOut,

    /// <summary>Half the clients publish, each to its own subscriber.</summary>
    Pair,

    /// <summary>Connect, subscribe, disconnect, under a new name each time.</summary>
    Churn,

    /// <summary>All connect, all are dropped at once, all come back.</summary>
    Storm,
}
