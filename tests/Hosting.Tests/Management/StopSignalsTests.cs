using System.Runtime.InteropServices;
using Trunkline.Hosting.Management;

namespace Trunkline.Hosting.Tests.Management;

public sealed class StopSignalsTests
{
    [Fact]
    public async Task The_first_signal_stops_and_only_a_further_interrupt_ends_the_process()
    {
        using var signals = new StopSignals();
        Assert.False(signals.Token.IsCancellationRequested);

        Assert.True(signals.Take(PosixSignal.SIGTERM));
        await signals.Stopped;
        Assert.True(signals.Token.IsCancellationRequested);

        Assert.True(signals.Take(PosixSignal.SIGTERM));
        Assert.False(signals.Take(PosixSignal.SIGINT));
    }

    [Fact]
    public void A_signal_that_comes_after_the_end_is_taken_quietly()
    {
        var signals = new StopSignals();
        signals.Dispose();

        Assert.True(signals.Take(PosixSignal.SIGTERM));
    }
}
