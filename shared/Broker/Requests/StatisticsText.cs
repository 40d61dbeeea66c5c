using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Trunkline.Broker;

/// <summary>How a group stands as JSON: the reply to <c>$trunkline/statistics</c>, and the broker's page of that name.</summary>
public static class StatisticsText
{
    /// <summary>The JSON as text.</summary>
    public static string Of(BrokerStatistics statistics)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        var output = new ArrayBufferWriter<byte>();
        Write(output, statistics);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    internal static void Write(IBufferWriter<byte> output, BrokerStatistics statistics)
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
