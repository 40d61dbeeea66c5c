namespace Trunkline.Sessions;

/// <summary>What happens to a session's backlog above its limits (<see cref="MqttOptions.BacklogMessages"/>, <see cref="MqttOptions.BacklogBytes"/>).</summary>
public enum BacklogPolicy
{
    /// <summary>The oldest messages are passed over: the newest within the limits remain.</summary>
    DropOldest,

    /// <summary>The oldest within the limits are delivered, the newer ones are passed over.</summary>
    DropNewest,

    /// <summary>Everything that waits is passed over, and the connection is closed (5.0: DISCONNECT 0x97), so that the device knows.</summary>
    Disconnect,
}
