namespace Trunkline.Links;

/// <summary>How a group stands, as one moment saw it.</summary>
/// <param name="Group">Its number.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What stands there.</param>
/// <param name="State">Whether it serves.</param>
/// <param name="Sentence">The state in words, for <c>/readyz</c>.</param>
/// <param name="Links">Its links.</param>
public sealed record GroupStatus(
    int Group, string Name, GroupKind Kind, GroupState State, string Sentence, IReadOnlyList<LinkStatus> Links);

/// <summary>How one link stands; figures may be a turn old.</summary>
/// <param name="Name">Its client id at the broker.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="IsConnected">Whether it is connected now.</param>
/// <param name="Pending">Messages kept until they are acknowledged.</param>
/// <param name="PendingBytes">Their bytes.</param>
/// <param name="InFlight">Those written on the connection of now.</param>
/// <param name="Filters">Filters on it.</param>
/// <param name="Position">The log position up to which everything was dispatched; empty where there is none.</param>
/// <param name="Connects">How often it was connected.</param>
public sealed record LinkStatus(
    string Name, LinkKind Kind, bool IsConnected, int Pending, long PendingBytes, int InFlight, int Filters, string Position, long Connects);

/// <summary>Whether a group serves.</summary>
public enum GroupState
{
    /// <summary>Not all of its links were connected yet.</summary>
    Connecting,

    /// <summary>All of its links are connected.</summary>
    Ready,

    /// <summary>It was ready; now a link of it is lost and dials again.</summary>
    Away,

    /// <summary>The probe failed, or the broker is not what was configured.</summary>
    Refused,
}

/// <summary>What a link is for.</summary>
public enum LinkKind
{
    /// <summary>Publishes of one loop.</summary>
    Publish,

    /// <summary>Subscriptions of the node.</summary>
    Receive,

    /// <summary>Retained messages of a foreign broker.</summary>
    Replay,

    /// <summary>The probe of a foreign broker.</summary>
    Probe,
}
