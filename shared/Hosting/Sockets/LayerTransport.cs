using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// A transport made of another one: TLS, WebSocket. It owns no descriptor and no deadline; what lies below is paused,
/// moved and closed along with it, and its send timeout is the one that counts.
/// </summary>
internal abstract class LayerTransport : Transport, ITransportHandler
{
    /// <summary>Puts a layer on <paramref name="inner"/>, whose handler it becomes.</summary>
    protected LayerTransport(Transport inner)
        : base(inner.Loop, null, inner.Settings)
    {
        Inner = inner;
        AcceptedMs = inner.AcceptedMs;
        inner.Handler = this;
    }

    /// <summary>What lies below.</summary>
    public Transport Inner { get; }

    /// <inheritdoc/>
    public override int UnsentBytes => GatheredBytes + Inner.UnsentBytes;

    /// <inheritdoc/>
    public override bool HoldsPermitted => base.HoldsPermitted || Inner.HoldsPermitted;

    /// <inheritdoc/>
    public override void SendWithheld(long sinceMs)
    {
        base.SendWithheld(sinceMs);
        Inner.SendWithheld(sinceMs);
    }

    /// <inheritdoc/>
    public override void DropPermitted()
    {
        if (Inner.HoldsPermitted)
        {
            // It is encoded: the peer could read nothing after a record that it misses.
            AbortPermitted();
        }
        else
        {
            base.DropPermitted();
        }
    }

    /// <inheritdoc/>
    public abstract int OnReceived(ReadOnlySpan<byte> bytes);

    /// <inheritdoc/>
    public void OnWritable()
    {
        if (GatheredBytes > 0)
        {
            MarkDirty();
        }

        CheckLowWater();
    }

    /// <inheritdoc/>
    public void OnWithheld() => Handler.OnWithheld();

    /// <inheritdoc/>
    public virtual void OnClosed(TransportCloseReason reason) => OnPeerEnded(reason);

    /// <inheritdoc/>
    protected sealed override void SendOutput()
    {
        // While what lies below is full the bytes stay here, where they count for the writer's marks; it says when to go on.
        while (GatheredBytes > 0 && Inner.UnsentBytes <= Settings.HighWaterBytes)
        {
            PermitBelow(Inner);
            if (!Encode())
            {
                return;
            }

            SendBelow(Inner);
        }
    }

    /// <summary>Writes some of the output chain into <see cref="Inner"/>; false when the layer failed.</summary>
    protected abstract bool Encode();

    /// <summary>Writes the layer's own orderly end, if it has one.</summary>
    protected abstract void SayGoodbye(TransportCloseReason reason);

    /// <inheritdoc/>
    protected override void OnTerminated(TransportCloseReason reason, bool aborted)
    {
        if (Inner.IsClosed)
        {
            return;
        }

        if (!aborted)
        {
            SayGoodbye(reason);
        }

        CloseBelow(Inner, reason, aborted ? TransportClose.Abort : TransportClose.Graceful);
    }

    /// <inheritdoc/>
    protected override void OnWithdrawn()
    {
        // It is counted once, below, which ends for the same reason.
    }

    /// <inheritdoc/>
    protected override ConnectionOrigin DescribeOrigin() => Inner.Origin;

    /// <inheritdoc/>
    protected override NetworkAddress DescribeRemote() => Inner.Remote;

    /// <inheritdoc/>
    protected override void OnReady()
    {
    }

    /// <inheritdoc/>
    protected override void OnBlocked()
    {
    }

    /// <inheritdoc/>
    protected override void OnLeaving(Loop from, Loop target) => DepartBelow(Inner, from, target);

    /// <inheritdoc/>
    protected override void OnArrived(Loop to)
    {
        ArriveBelow(Inner);
        MarkReady();
    }

    /// <inheritdoc/>
    protected override void OnPaused() => Inner.PauseReading();

    /// <inheritdoc/>
    protected override void OnResumed() => Inner.ResumeReading();
}
