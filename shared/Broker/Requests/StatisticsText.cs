using System.Buffers;
using System.Text.Json;

namespace Trunkline.Broker;

/// <summary>The reply to <c>$trunkline/statistics</c>.</summary>
internal static class StatisticsText
{
    public static void Write(IBufferWriter<byte> output, BrokerStatistics statistics)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("group", statistics.Name);
        json.WriteString("incarnation", statistics.Incarnation);
        json.WriteNumber("term", statistics.Tail.Term);
        json.WriteString("tail", statistics.Tail.ToString());
        json.WriteString("first", statistics.First.ToString());
        json.WriteNumber("messages", statistics.Messages);
        json.WriteNumber("bytes", statistics.Bytes);
        json.WriteNumber("retained", statistics.RetainedMessages);
        json.WriteNumber("retainedBytes", statistics.RetainedBytes);
        json.WriteNumber("subscriptions", statistics.Subscriptions);
        json.WriteNumber("shares", statistics.Shares);
        json.WriteNumber("publishLinks", statistics.PublishLinks);
        json.WriteNumber("receiveLinks", statistics.ReceiveLinks);
        json.WriteNumber("clients", statistics.Clients);
        json.WriteEndObject();
    }
}
