using System.Buffers;
using Trunkline.Protocol;

namespace Trunkline.Tool.Chaos;

/// <summary>
/// A device with a will and a client id of its own that connects once: it leaves in order, and its will must not come,
/// or its connection ends otherwise, and its will must come once.
/// </summary>
internal sealed class WillDevice : IChaosClientOwner
{
    private readonly ChaosLedger _ledger;
    private readonly Func<bool> _isCalm;
    private readonly Func<int, bool> _isStopping;
    private readonly Func<int, bool> _isHeld;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isLeaving;

    /// <param name="name">Its client id, and its will's payload.</param>
    /// <param name="choosePort">Chooses a proxy.</param>
    /// <param name="ledger">Judges.</param>
    /// <param name="isCalm">Whether no fault lasts now: only then it is sure that a goodbye was heard.</param>
    /// <param name="isStopping">
    /// Whether the proxy at a port is asked to stop: one that sends its devices away before it hears that this one was cut
    /// keeps the will back.
    /// </param>
    /// <param name="isHeld">Whether the proxy at a port is held: its CONNACK may have lain here unread since before that.</param>
    /// <param name="time">The clock.</param>
    public WillDevice(
        string name, Func<int> choosePort, ChaosLedger ledger, Func<bool> isCalm, Func<int, bool> isStopping, Func<int, bool> isHeld, TimeProvider time)
    {
        _ledger = ledger;
        _isCalm = isCalm;
        _isStopping = isStopping;
        _isHeld = isHeld;
        Name = name;
        Client = new ChaosClient(
            new ChaosClientOptions
            {
                ClientId = name,
                ChoosePort = choosePort,
                Will = ($"will/{name}", name),
                SessionExpirySeconds = 0,

                // It does not come again by itself: whoever cut it awaits the will.
                RetryPause = Timeout.InfiniteTimeSpan,
            },
            this,
            time);
    }

    public string Name { get; }

    public ChaosClient Client { get; }

    /// <inheritdoc/>
    public void Connected(bool isSessionPresent, IBufferWriter<byte> output) =>
        _ledger.SetWill(Name, _isHeld(Client.Port) ? WillState.Optional : WillState.Set);

    /// <inheritdoc/>
    public void Received(in Frame frame, IBufferWriter<byte> output)
    {
        if (frame.Type == PacketType.Disconnect)
        {
            // The server ended it: by the specification that is no normal disconnect by the device, and the will is due,
            // but a drain keeps wills back. Which of the two it was is not this run's to judge.
            lock (_gate)
            {
                _isLeaving = true;
                _ledger.SetWill(Name, WillState.Optional);
            }
        }
    }

    /// <inheritdoc/>
    public void Lost()
    {
        lock (_gate)
        {
            if (!_isLeaving)
            {
                _ledger.SetWill(Name, WillState.Due);
            }
        }

        _ended.TrySetResult();
    }

    /// <summary>Its proxy is about to be harmed: its will may come from now on, though it is connected.</summary>
    public void Forgive()
    {
        lock (_gate)
        {
            if (Client.IsOpen && !_isLeaving)
            {
                _ledger.SetWill(Name, WillState.Optional);
            }
        }
    }

    /// <summary>Leaves in order and awaits the end of the connection, or is cut.</summary>
    public async Task EndAsync(bool cut)
    {
        lock (_gate)
        {
            if (!Client.IsOpen || _isLeaving)
            {
                return;
            }

            if (cut)
            {
                _ledger.SetWill(Name, _isStopping(Client.Port) ? WillState.Optional : WillState.Due);
            }
            else
            {
                // A proxy that dies with the DISCONNECT unread publishes the will, and rightly.
                _ledger.SetWill(Name, WillState.Optional);
            }

            _isLeaving = true;
        }

        if (cut)
        {
            Client.Cut();
        }
        else
        {
            bool wasCalm = _isCalm();
            await Client.DisconnectAsync();
            await _ended.Task;
            if (wasCalm && _isCalm())
            {
                _ledger.SetWill(Name, WillState.Over);
            }
        }
    }
}
