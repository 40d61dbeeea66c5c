namespace Trunkline.Loadtest.Tests.Support;

/// <summary>A report with a value in every figure.</summary>
internal static class SampleReports
{
    public static RunReport Pair(double factor = 1, string name = "sample")
    {
        var histogram = new Histogram();
        for (int i = 1; i <= 1_000; i++)
        {
            histogram.Record((long)(i * 4_040 * factor));
        }

        LatencySummary latency = LatencySummary.Of(histogram)! with { P99Us = 4_000 * factor };
        return new RunReport
        {
            Name = name,
            Pattern = "pair",
            Command = "trunkline loadtest pair --threshold 'p99<5ms' </script><script>alert(1)</script>",
            Clients = 100,
            Connected = 100,
            ConnectSeconds = 0.5,
            MeasuredSeconds = 1,
            PublishRate = 1_000,
            DeliverRate = 995,
            Counts = new RunCounts { Published = 1_000, Expected = 1_000, Delivered = 995, Lost = 5, Acknowledged = 1_000 },
            Latencies = new Dictionary<string, LatencySummary> { ["delivery"] = latency },
            MainLatency = "delivery",
            Unit = "delivered message",
            Processes = [Process("proxy", 25 * factor), Process("loadtest", 5)],
            Reasons = new Dictionary<string, long> { ["<b>connection</b> lost"] = 2 },
            Thresholds = [new ThresholdResult("p99<5ms", 4_000, true), new ThresholdResult("lost=0", 5, false)],
            Seconds = [Second(1), Second(2), Second(3)],
        };
    }

    private static RunSecond Second(int at) => new()
    {
        At = at,
        Phase = "measuring",
        Connected = 100,
        ConnectRate = 100 / at,
        PublishRate = 1_000,
        DeliverRate = 995,
        P50Us = 500 * at,
        P99Us = 4_000,
        MaxUs = 5_000,
        Processes = [new ProcessSecond("proxy", 0.25, 50_000_000), new ProcessSecond("loadtest", 0.05, 40_000_000)],
    };

    private static ProcessReport Process(string name, double us) => new()
    {
        Name = name,
        Pids = [1],
        CpuSeconds = us / 1000,
        CpuShare = us / 1000,
        CpuUsPerUnit = us,
        RssBefore = 1_000_000,
        RssConnected = 1_140_000,
        RssEnd = 1_150_000,
        RssPeak = 1_200_000,
        RssPerConnection = 1_400,
    };
}
