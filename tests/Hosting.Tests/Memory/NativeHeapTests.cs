using System.Globalization;
using System.Runtime.InteropServices;
using Trunkline.Hosting.Memory;
using Trunkline.Hosting.Tests.Support;

namespace Trunkline.Hosting.Tests.Memory;

public sealed class NativeHeapTests
{
    private readonly SteppedTime _time = new();

    [Fact]
    public void Memory_that_was_freed_in_pieces_goes_back_to_the_system()
    {
        const int pieces = 16_384, bytes = 4096;
        nint[] taken = new nint[pieces];
        for (int n = 0; n < pieces; n++)
        {
            taken[n] = Take(bytes);
        }

        // One piece in 64 stays, so that no heap can shrink from its end by itself.
        for (int n = 0; n < pieces; n++)
        {
            if (n % 64 != 63)
            {
                Free(taken[n]);
            }
        }

        long before = ResidentBytes();
        using var heap = new NativeHeap(new MemoryOptions(), TimeProvider.System);
        heap.Look();
        long after = ResidentBytes();
        for (int n = 63; n < pieces; n += 64)
        {
            Free(taken[n]);
        }

        // Of 64 MB: other tests take memory meanwhile.
        Assert.True(before - after > 32_000_000, $"{before} bytes before, {after} after");
    }

    [Fact]
    public void It_is_asked_for_while_code_is_compiled_and_a_little_after_and_else_once_a_minute()
    {
        long compiled = 10;
        int trims = 0;
        using var heap = new NativeHeap(new MemoryOptions { TrimIntervalMs = 1000 }, _time, () => compiled, () => ++trims > 0);
        heap.Start();

        // That one and ten more.
        Seconds(30);
        Assert.Equal(11, trims);
        compiled++;
        Seconds(5);
        compiled++;
        Seconds(60);
        Assert.Equal(11 + 5 + 11, trims);
        Seconds(20);
        Assert.Equal(28, trims);
        heap.Dispose();
        compiled++;
        Seconds(90);
        Assert.Equal(28, trims);
    }

    [Fact]
    public void A_library_without_it_is_asked_once()
    {
        int asked = 0;
        using var heap = new NativeHeap(new MemoryOptions(), _time, () => asked, () => ++asked < 0);
        heap.Start();
        Seconds(90);
        Assert.Equal(1, asked);
    }

    [Fact]
    public void Zero_leaves_it_to_the_library()
    {
        int trims = 0;
        using var heap = new NativeHeap(new MemoryOptions { TrimIntervalMs = 0 }, _time, () => trims, () => ++trims > 0);
        heap.Start();
        Seconds(90);
        Assert.Equal(0, trims);
    }

    private static nint Take(int bytes)
    {
        nint piece = Marshal.AllocHGlobal(bytes);
        for (int n = 0; n < bytes; n += 1024)
        {
            Marshal.WriteByte(piece, n, 1);
        }

        return piece;
    }

    private static void Free(nint piece) => Marshal.FreeHGlobal(piece);

    private static long ResidentBytes()
        => long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    private void Seconds(int seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));
}
