using System.Diagnostics;
using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Store;

/// <summary>FAULTS 13 on a real disk that is full: a tmpfs of 1 MiB, mounted by the test, so as root.</summary>
public sealed class FullDiskTests
{
    [RootFact]
    public void A_full_disk_stops_acknowledgements_and_the_log_goes_on_whole_when_there_is_room()
    {
        using var folder = new TempFolder();
        Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.Path);
        try
        {
            Fill(folder.Path);
        }
        finally
        {
            Run("umount", folder.Path);
        }
    }

    private static void Fill(string folder)
    {
        string ballast = Path.Combine(folder, "ballast");
        File.WriteAllBytes(ballast, new byte[512 * 1024]);
        BrokerOptions options = StoreHarness.Small with { DataDirectory = folder };
        var broker = new TestBroker(options, store: (loop, all) => GroupStore.Open("g", all, loop));
        TestClient live = broker.Client();
        live.Subscribe("live", QoS.AtMostOnce);
        TestClient publisher = broker.PublishLink("n");
        int sent = 0;
        while (!broker.Group.Log.IsFailing)
        {
            publisher.Publish("a", $"{++sent} {new string('x', 2_000)}", tl: $"n{sent}");
            Assert.True(sent < 1_000, "the disk did not fill");
            LoopUntil.Holds(broker.Loop, () => publisher.Acknowledged.Count == sent || broker.Group.Log.IsFailing, "written or failed");
        }

        int acknowledged = publisher.Acknowledged.Count;
        for (int i = 0; i < 20; i++)
        {
            publisher.Publish("a", $"{++sent} {new string('x', 2_000)}", tl: $"n{sent}");
        }

        publisher.Publish("live", "on", QoS.AtMostOnce);
        broker.Advance(2_000);
        Assert.Equal(acknowledged, publisher.Acknowledged.Count);
        Assert.Equal(["on"], live.Payloads);
        using TempFolder killed = TempFolder.CopyOf(Path.Combine(folder, "g"));

        File.Delete(ballast);
        LoopUntil.Holds(
            broker.Loop,
            () =>
            {
                broker.Advance(100);
                return publisher.Acknowledged.Count == sent;
            },
            "everything is acknowledged");
        broker.Group.Stop();
        Assert.Equal(Enumerable.Range(1, sent), Numbers(folder));

        // Killed while it was full: whatever was acknowledged is there, and the rest is a torn end at most.
        using var other = new TempFolder();
        Directory.Move(killed.Path, Path.Combine(other.Path, "g"));
        Directory.CreateDirectory(killed.Path);
        int[] left = Numbers(other.Path);
        Assert.Equal(Enumerable.Range(1, left.Length), left);
        Assert.InRange(left.Length, acknowledged, sent);
    }

    private static int[] Numbers(string folder)
    {
        var store = new StoreHarness(folder, StoreHarness.Small);
        int[] numbers = [.. store.Read().Select(message => int.Parse(message.Payload.Split(' ')[0], null))];
        store.Close();
        return numbers;
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
