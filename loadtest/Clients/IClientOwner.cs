namespace Trunkline.Loadtest;

/// <summary>Hears of its clients; on their loop.</summary>
internal interface IClientOwner
{
    /// <summary>Connected, and subscribed where it subscribes.</summary>
    void OnReady(MqttClient client);

    /// <summary>An attempt failed; the client is idle again.</summary>
    void OnFailed(MqttClient client, string reason);

    /// <summary>A connection that stood is gone; <paramref name="wanted"/>: we closed it.</summary>
    void OnEnded(MqttClient client, bool wanted, string reason);
}
