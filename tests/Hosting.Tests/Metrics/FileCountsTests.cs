using System.Runtime.Versioning;
using Trunkline.Hosting.Metrics;

namespace Trunkline.Hosting.Tests.Metrics;

[SupportedOSPlatform("linux")]
public sealed class FileCountsTests
{
    // Above what other tests of this process open and close meanwhile.
    private const int Many = 2000;

    [Fact]
    public void Descriptors_are_counted_by_size_and_by_walking_alike()
    {
        long before = FileCounts.OpenDescriptors();
        using var opened = new OpenFiles(Many);

        Assert.InRange(FileCounts.OpenDescriptors() - before, Many - 500, Many + 500);
        Assert.InRange(FileCounts.EntriesOf("/proc/self/fd") - before, Many - 500, Many + 500);
    }

    [Fact]
    public void A_folder_that_is_not_there_has_no_count()
    {
        Assert.Equal(-1, FileCounts.EntriesOf("/proc/self/none"));
        Assert.Equal(-1, FileCounts.SizeOf("/proc/self/none"));
    }

    [Fact]
    public void A_scrape_makes_no_garbage_for_each_descriptor()
    {
        using var exporter = new PrometheusExporter(_ => false);
        exporter.Render();
        long few = Allocated(exporter);
        using var opened = new OpenFiles(Many);
        long many = Allocated(exporter);

        // A name of /proc/self/fd is more than 32 bytes.
        Assert.True(many - few < 8 * Many, $"{many - few} B more with {Many} descriptors");
    }

    private static long Allocated(PrometheusExporter exporter)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        exporter.Render();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private sealed class OpenFiles(int count) : IDisposable
    {
        private readonly FileStream[] _files =
            [.. Enumerable.Range(0, count).Select(_ => new FileStream("/dev/null", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0))];

        public void Dispose() => Array.ForEach(_files, file => file.Dispose());
    }
}
