using System.Text.Json.Serialization;
using Trunkline.Directory;
using Trunkline.Sessions;

namespace Trunkline.Proxy;

/// <summary>A session as the directory has it, for people: one that is away, or that a node holds which cannot be asked.</summary>
internal sealed record StoredSessionView
{
    /// <summary>The client identifier.</summary>
    public required string ClientId { get; init; }

    /// <summary><c>away</c>: nobody holds it; <c>held</c>: the node of <see cref="Node"/> does, which did not answer.</summary>
    public required string State { get; init; }

    /// <summary>Name of the node that holds it, its identity when it is not registered (any more); null while it is away.</summary>
    public string? Node { get; init; }

    /// <summary>The claim; null while it is away.</summary>
    public string? Token { get; init; }

    /// <summary>When its connection ended, by the clock of the node it was at; null after that node's death, and while it is held.</summary>
    public DateTimeOffset? AwaySince { get; init; }

    /// <summary>The node with which its connection was lost; null after an orderly end.</summary>
    public string? LostWithNode { get; init; }

    /// <summary>Seconds it is kept from the end of its connection on; <see cref="uint.MaxValue"/> is for ever, 0 while it ends with its connection.</summary>
    public required uint ExpirySeconds { get; init; }

    /// <summary>Its filters, at most <see cref="Session.MaximumDescribedSubscriptions"/>.</summary>
    public required IReadOnlyList<SubscriptionDescription> Subscriptions { get; init; }

    /// <summary>How many filters it holds.</summary>
    public required int SubscriptionCount { get; init; }

    /// <summary>Per group where its reading goes on.</summary>
    public required IReadOnlyList<GroupPlace> Positions { get; init; }

    /// <summary>QoS 1 and 2 messages to the device that were in flight; of a held one those at QoS 2.</summary>
    public required IReadOnlyList<OutgoingView> InFlightOut { get; init; }

    /// <summary>QoS 2 messages from the device between PUBLISH and PUBREL.</summary>
    public required int InFlightIn { get; init; }

    /// <summary>Whether a will waits for its delay, or for the end of the connection.</summary>
    public required bool HasWill { get; init; }

    /// <summary>Its delay in seconds; null without a will.</summary>
    public uint? WillDelaySeconds { get; init; }

    /// <summary>Fields that this version cannot read.</summary>
    public required IReadOnlyList<string> Unreadable { get; init; }

    /// <summary>Makes the view; null when neither a session nor a claim is stored.</summary>
    public static StoredSessionView? Of(ProxyNode node, string clientId, StoredSession stored)
    {
        bool isHeld = !stored.Token.IsNone;
        if (!stored.Exists && !isHeld)
        {
            return null;
        }

        SessionStateReading reading = SessionStateCodec.Decode(RecordFields.ToSession(stored.Fields));
        SessionState state = reading.State;
        return new StoredSessionView
        {
            ClientId = clientId,
            State = isHeld ? "held" : "away",
            Node = isHeld ? NameOf(node, stored.Token.Node) : null,
            Token = isHeld ? stored.Token.ToString() : null,
            AwaySince = isHeld || !stored.LastNode.IsNone ? null : state.AwaySince,
            LostWithNode = isHeld || stored.LastNode.IsNone ? null : NameOf(node, stored.LastNode),
            ExpirySeconds = stored.ExpirySeconds,
            Subscriptions =
            [
                .. state.Subscriptions.Take(Session.MaximumDescribedSubscriptions).Select(held => new SubscriptionDescription(
                    held.Filter.ToString(),
                    held.Options.QoS,
                    held.Options.NoLocal,
                    held.Options.RetainAsPublished,
                    held.Options.RetainHandling,
                    held.Identifier)),
            ],
            SubscriptionCount = state.Subscriptions.Count,
            Positions = Places(node, state, stored.Checkpoint),
            InFlightOut =
            [
                .. state.Outgoing.Select(outgoing => new OutgoingView(
                    outgoing.PacketId,
                    (int)outgoing.QoS,
                    outgoing.Stage == OutgoingStage.Received ? "received" : "sent",
                    outgoing.Group < 0 ? null : node.GroupName(outgoing.Group),
                    outgoing.Group < 0 ? null : outgoing.Position.ToString())),
            ],
            InFlightIn = state.Incoming.Count,
            HasWill = stored.Fields.Any(field => field.Name == SessionField.Will),
            WillDelaySeconds = stored.WillDelaySeconds,
            Unreadable = [.. reading.Damage.Select(damage => $"{damage.Name}: {damage.Kind}")],
        };
    }

    private static string NameOf(ProxyNode node, NodeId id) =>
        node.Directory.Nodes.FirstOrDefault(other => other.Id == id)?.Name ?? id.ToString();

    /// <summary>The higher of the record's position and that of a dead node's checkpoint.</summary>
    private static List<GroupPlace> Places(ProxyNode node, SessionState state, IReadOnlyList<LogPosition>? checkpoint)
    {
        var places = new List<GroupPlace>();
        for (int group = 0; group < node.GroupCount; group++)
        {
            LogPosition position = state.PositionOf(group);
            if (checkpoint is not null && group < checkpoint.Count && checkpoint[group] > position)
            {
                position = checkpoint[group];
            }

            if (!position.IsNone)
            {
                places.Add(new GroupPlace(node.GroupName(group), position.ToString()));
            }
        }

        return places;
    }

    /// <summary>A place in a group's log.</summary>
    /// <param name="Group">The group's name.</param>
    /// <param name="Position">Term and offset.</param>
    internal sealed record GroupPlace(string Group, string Position);

    /// <summary>One message on its way to the device.</summary>
    /// <param name="PacketId">Its packet identifier.</param>
    /// <param name="QoS">1 or 2.</param>
    /// <param name="Stage"><c>sent</c>, or <c>received</c> after PUBREC.</param>
    /// <param name="Group">The group whose log has it; null for one kept in the record itself.</param>
    /// <param name="Position">Its place there.</param>
    internal sealed record OutgoingView(int PacketId, [property: JsonPropertyName("qos")] int QoS, string Stage, string? Group, string? Position);
}
