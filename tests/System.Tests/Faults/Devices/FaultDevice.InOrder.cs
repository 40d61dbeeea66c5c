using System.Buffers;
using System.Net.Sockets;

namespace Trunkline.SystemTests.Faults;

/// <content>Reading as one client with several connections.</content>
public sealed partial class FaultDevice
{
    private readonly byte[] _input = new byte[64 * 1024];
    private readonly ArrayBufferWriter<byte> _answers = new();
    private readonly List<ushort> _released = [];
    private int _inputHeld;

    /// <summary>
    /// Whenever something lies here, all connections of the client are read: a server that lets a second one take over has
    /// sent the first one's last bytes by then.
    /// </summary>
    private async Task ReceiveInOrderAsync()
    {
        lock (_connections)
        {
            _connections.Add(this);
        }

        while (IsConnected)
        {
            try
            {
                await _socket.ReceiveAsync(Memory<byte>.Empty);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                Finish(new DeviceEnd(null, error.Message));
            }

            lock (_connections)
            {
                _connections.ForEach(connection => connection.TakeWhatLies());

                // What was released in this pass is forgotten after it: an older connection may have been looked at first.
                _connections.ForEach(connection => connection.ForgetReleased());
                _connections.RemoveAll(connection => !connection.IsConnected);
            }
        }
    }

    private void ForgetReleased()
    {
        _released.ForEach(id => _inbound.TryRemove(id, out _));
        _released.Clear();
    }

    /// <summary>One read, so that each of the others has its turn before what this one is answered.</summary>
    private void TakeWhatLies()
    {
        DeviceEnd? end = null;
        try
        {
            if (IsConnected && _socket.Poll(0, SelectMode.SelectRead))
            {
                int count = _socket.Receive(_input.AsSpan(_inputHeld));
                _inputHeld += count;
                int used = Take(_input.AsSpan(0, _inputHeld), _answers, out end);
                end ??= count == 0 ? new DeviceEnd(null, "The server closed the connection.") : null;
                _input.AsSpan(used, _inputHeld - used).CopyTo(_input);
                _inputHeld -= used;
                if (_answers.WrittenCount > 0)
                {
                    _socket.Send(_answers.WrittenSpan);
                    _answers.ResetWrittenCount();
                }
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            end ??= new DeviceEnd(null, error.Message);
        }

        if (end is not null)
        {
            Finish(end);
        }
    }
}
