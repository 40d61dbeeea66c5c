using System.Diagnostics;
using Trunkline.Transports;

namespace Trunkline.Broker.Tests.Support;

/// <summary>Turns a loop until something holds that a thread of the store brings about; fails after a minute.</summary>
internal static class LoopUntil
{
    public static void Holds(ManualLoop loop, Func<bool> condition, string what)
    {
        long begun = Stopwatch.GetTimestamp();
        var spin = default(SpinWait);
        loop.RunUntilIdle();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < TimeSpan.FromMinutes(1), $"Within a minute this did not come true: {what}");
            spin.SpinOnce();
            loop.RunUntilIdle();
        }
    }
}
