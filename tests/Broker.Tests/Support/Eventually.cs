using System.Diagnostics;
using Trunkline.Transports;

namespace Trunkline.Broker.Tests.Support;

/// <summary>Turns a loop until something holds that a thread of the store brings about; fails after a minute.</summary>
internal static class Eventually
{
    public static void Holds(ManualLoop loop, Func<bool> condition, string what)
    {
        Stopwatch watch = Stopwatch.StartNew();
        loop.RunUntilIdle();
        while (!condition())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromMinutes(1), $"Within a minute this did not come true: {what}");
            Thread.Sleep(1);
            loop.RunUntilIdle();
        }
    }
}
