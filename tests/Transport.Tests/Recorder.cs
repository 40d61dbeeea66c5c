using System.Text;

namespace Trunkline.Transports.Tests;

/// <summary>A handler that writes down what it is told and does what the test says.</summary>
internal sealed class Recorder : ITransportHandler
{
    private readonly List<byte> _bytes = [];

    public Func<byte[], int>? Consume { get; set; }

    public Action? Writable { get; set; }

    public int Calls { get; private set; }

    public int WritableCalls { get; private set; }

    public int WithheldCalls { get; private set; }

    public List<TransportCloseReason> Closed { get; } = [];

    public byte[] Bytes => [.. _bytes];

    public string Text => Encoding.ASCII.GetString(Bytes);

    public int OnReceived(ReadOnlySpan<byte> bytes)
    {
        Calls++;
        int consumed = Consume?.Invoke(bytes.ToArray()) ?? bytes.Length;
        _bytes.AddRange(bytes[..consumed]);
        return consumed;
    }

    public void OnWritable()
    {
        WritableCalls++;
        Writable?.Invoke();
    }

    public void OnWithheld() => WithheldCalls++;

    public void OnClosed(TransportCloseReason reason) => Closed.Add(reason);
}
