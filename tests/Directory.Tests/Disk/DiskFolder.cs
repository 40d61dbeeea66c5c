using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests.Disk;

/// <summary>A folder of a directory on disk, copies of it as a death leaves them, and directories on both.</summary>
internal sealed class DiskFolder : IDisposable
{
    internal const uint Hour = 3_600;
    private readonly Meter _meter = new("disk");
    private int _seed = 1;

    internal string Path { get; } = System.IO.Directory.CreateTempSubdirectory("trunkline-directory-").FullName;

    internal ILogger Logger { get; init; } = NullLogger.Instance;

    internal DirectoryCommit? Commit { get; init; }

    internal int SyncIntervalMs { get; init; } = 1_000;

    /// <summary>Whether copies are as another start of the system left them.</summary>
    internal bool IsAfterSystemStart { get; init; }

    /// <summary>The file in use.</summary>
    internal string Newest => System.IO.Directory.EnumerateFiles(Path, "records-*").Order(StringComparer.Ordinal).Last();

    internal long NewestBytes => new FileInfo(Newest).Length;

    public void Dispose()
    {
        _meter.Dispose();
        System.IO.Directory.Delete(Path, recursive: true);
    }

    internal static int Seed(ITestOutputHelper output)
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("TRUNKLINE_TEST_SEED"), out int given) ? given : Random.Shared.Next();
        output.WriteLine($"TRUNKLINE_TEST_SEED={seed}");
        return seed;
    }

    internal MemoryDirectory Make(string? folder = null)
    {
        var self = new NodeInfo(NodeId.NewId(new Random(_seed++)), "one", "", "", "");
        return MemoryDirectory.Open(self, new DirectoryOptions { DataDirectory = folder ?? Path, Commit = Commit, SyncIntervalMs = SyncIntervalMs }, new(TimeProvider.System, Logger, _meter, 1));
    }

    internal async Task<MemoryDirectory> JoinAsync(string? folder = null)
    {
        MemoryDirectory directory = Make(folder);
        await directory.JoinAsync(TestTier.Shape, new RecordingEvents()).MustAsync();
        return directory;
    }

    /// <summary>As kill -9 leaves it: the files as they are while the process uses them.</summary>
    internal string Copy()
    {
        string copy = FreshFolder();
        foreach (string file in System.IO.Directory.EnumerateFiles(Path, "records*"))
        {
            File.Copy(file, System.IO.Path.Combine(copy, System.IO.Path.GetFileName(file)));
        }

        return copy;
    }

    /// <summary>A folder with one file.</summary>
    internal string With(string name, ReadOnlySpan<byte> bytes)
    {
        string copy = FreshFolder();
        File.WriteAllBytes(System.IO.Path.Combine(copy, name), bytes.ToArray());
        return copy;
    }

    /// <summary>What stands in a folder, without what its opening does to it.</summary>
    internal MemoryContents Read(string folder)
    {
        var contents = new MemoryContents();
        RecordJournal.Open(folder, contents, TimeProvider.System, Logger).Dispose();
        return contents;
    }

    /// <summary>
    /// A file that begins with ten sessions and goes on with steps of session "id": step n sets p to n and adds o:n.
    /// </summary>
    internal async Task<(byte[] Bytes, string Name, long BeginningBytes)> HistoryAsync(int steps)
    {
        MemoryDirectory first = await JoinAsync();
        for (int i = 0; i < 10; i++)
        {
            await first.MustClaimAsync("before" + i, Sets(("f:a", "1"), ("w", "bye")) with { ExpirySeconds = Hour, WillDelaySeconds = 1 });
        }

        await first.DisposeAsync();
        MemoryDirectory directory = Make();
        long beginning = NewestBytes;
        await directory.JoinAsync(TestTier.Shape, new RecordingEvents()).MustAsync();
        SessionToken token = (await directory.MustClaimAsync("id", new() { ExpirySeconds = Hour })).Token;
        for (int i = 0; i < steps; i++)
        {
            await directory.WriteSessionAsync("id", token, Sets(("p", i.ToString(CultureInfo.InvariantCulture)), ("o:" + i, new string('x', 50)))).MustAsync();
        }

        string name = System.IO.Path.GetFileName(Newest);
        byte[] bytes = await File.ReadAllBytesAsync(System.IO.Path.Combine(Copy(), name));
        await directory.DisposeAsync();
        return (bytes, name, beginning);
    }

    /// <summary>Everything that a disk keeps, as text.</summary>
    internal static string Dump(MemoryContents contents)
    {
        using var effects = new RecordEffects();
        List<string> lines = [];
        contents.WriteTo(effects, Flush);
        Flush();
        return string.Join('\n', lines.Order(StringComparer.Ordinal));

        void Flush()
        {
            if (!effects.IsEmpty)
            {
                lines.Add(Encoding.Latin1.GetString(effects.Bytes.Span));
                effects.Clear();
            }
        }
    }

    private string FreshFolder()
    {
        string folder = System.IO.Directory.CreateDirectory(System.IO.Path.Combine(Path, "copies", Guid.NewGuid().ToString("n"))).FullName;
        if (IsAfterSystemStart)
        {
            File.WriteAllText(System.IO.Path.Combine(folder, "system-start"), "before the power cut");
        }

        return folder;
    }
}
