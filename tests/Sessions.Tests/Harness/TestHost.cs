using System.Buffers;
using System.Text;

namespace Trunkline.Sessions.Tests.Harness;

/// <summary>What a test gate does with a CONNECT.</summary>
public enum GateMode
{
    Open,
    Later,
}

/// <summary>The connection of a test client: bytes in, bytes out, and switches for what a transport may do.</summary>
public sealed class TestHost(TestBed bed, Feed feed) : IChannelHost
{
    private readonly List<byte> _input = [];
    private bool _isPumping;

    public Channel Channel { get; set; } = null!;

    public ArrayBufferWriter<byte> Written { get; } = new(256);

    public IBufferWriter<byte> Output => Written;

    public bool IsCongested { get; set; }

    public bool IsPaused { get; private set; }

    public bool IsTransportGone { get; set; }

    public GateMode Gate { get; set; } = GateMode.Open;

    public ConnectRequest? Request { get; private set; }

    public List<ChannelClose> Closes { get; } = [];

    public Func<string, bool> Owns { get; set; } = _ => true;

    public string? MovedFor { get; private set; }

    public int UnreadBytes => _input.Count;

    public void Send(ReadOnlySpan<byte> bytes)
    {
        _input.AddRange(bytes);
        Pump();
    }

    public void Pump()
    {
        if (_isPumping)
        {
            return;
        }

        _isPumping = true;
        int shown = feed == Feed.Whole ? _input.Count : int.Min(1, _input.Count);
        while (shown > 0 && !IsPaused && !IsTransportGone && Closes.Count == 0 && MovedFor is null)
        {
            int used = Channel.Receive(_input.ToArray().AsSpan(0, shown));
            Assert.InRange(used, 0, shown);
            _input.RemoveRange(0, used);
            if (feed == Feed.Whole)
            {
                shown = used > 0 ? _input.Count : 0;
            }
            else
            {
                shown = used > 0 ? int.Min(1, _input.Count) : shown + 1 > _input.Count ? 0 : shown + 1;
            }
        }

        _isPumping = false;
    }

    public void BeginConnect(ConnectRequest request)
    {
        Request = request;
        if (Gate == GateMode.Open)
        {
            Channel.Open();
        }
    }

    public bool BelongsHere(ReadOnlySpan<byte> clientId) => Owns(Encoding.UTF8.GetString(clientId));

    public void MoveToOwner(string clientId)
    {
        Channel.Leave();
        MovedFor = clientId;
    }

    public void PauseReading()
    {
        Assert.False(IsPaused, "paused twice");
        IsPaused = true;
    }

    public void ResumeReading()
    {
        Assert.True(IsPaused, "resumed without a pause");
        IsPaused = false;
        bed.Loop.Post(Pump);
    }

    /// <summary>When what was written was permitted, each time it was said.</summary>
    public List<long> Permitted { get; } = [];

    public int DroppedPermitted { get; private set; }

    public void MarkPermitted(long sinceMs) => Permitted.Add(sinceMs);

    public void SendWithheld(long sinceMs)
    {
    }

    public void DropPermitted() => DroppedPermitted++;

    public void Close(in ChannelClose close)
    {
        Assert.Empty(Closes);
        Closes.Add(close);
    }
}
