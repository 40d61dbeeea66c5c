using System.Globalization;
using Trunkline.Tool;
using Trunkline.Tool.Bench.Load;

namespace Trunkline.SystemTests.Bench;

/// <summary>What bench makes of loadtest's report: a round counts only when everything came.</summary>
public sealed class LoadReportTests
{
    [Fact]
    public void A_report_is_read()
    {
        LoadReport report = LoadReport.Parse(Json("fanin", "\"published\": 10, \"expected\": 10, \"delivered\": 10"));

        Assert.Null(report.Fault());
        Assert.Equal(2.5, report.Process("proxy").CpuUsPerUnit);
        Assert.Equal(90, report.Latencies["delivery"].P99Us);
        Assert.Throws<ToolException>(() => report.Process("nginx"));
        Assert.Throws<ToolException>(() => LoadReport.Parse("{}"));
    }

    [Theory]
    [InlineData("\"expected\": 10, \"delivered\": 9, \"lost\": 1", "9 came")]
    [InlineData("\"expected\": 10, \"delivered\": 10, \"duplicates\": 1", "1 came twice")]
    [InlineData("\"connectFailures\": 1", "1 connections failed")]
    [InlineData("\"disconnects\": 2", "2 were lost")]
    [InlineData("\"refused\": 3", "3 publishes were refused")]
    public void Whatever_did_not_come_is_a_fault(string counts, string expected) =>
        Assert.Contains(expected, LoadReport.Parse(Json("fanin", counts)).Fault(), StringComparison.Ordinal);

    [Fact]
    public void Clients_that_are_missing_are_a_fault() =>
        Assert.Contains("4 of 5", LoadReport.Parse(Json("fanin", "\"cycles\": 0", connected: 4)).Fault(), StringComparison.Ordinal);

    [Fact]
    public void Churn_counts_cycles()
    {
        Assert.Null(LoadReport.Parse(Json("churn", "\"cycles\": 1", connected: 0)).Fault());
        Assert.NotNull(LoadReport.Parse(Json("churn", "\"cycles\": 0")).Fault());
    }

    [Fact]
    public void Metrics_are_summed_over_their_labels()
    {
        Metrics metrics = Metrics.Parse("# HELP a b\na_total{group=\"0\",event=\"x\"} 3\na_total{group=\"1\",event=\"x\"} 4\na_total{event=\"y\"} 5\na_total_more 9\nplain 1.5e3\n");

        Assert.Equal(7, metrics.Sum("a_total", "event=\"x\""));
        Assert.Equal(12, metrics.Sum("a_total"));
        Assert.Equal(1500, metrics.Sum("plain"));
        Assert.Throws<ToolException>(() => metrics.Sum("b_total"));
    }

    private static string Json(string pattern, string counts, int connected = 5) => string.Create(CultureInfo.InvariantCulture, $$"""
        {
          "pattern": "{{pattern}}", "clients": 5, "connected": {{connected}},
          "counts": { {{counts}} },
          "latencies": { "delivery": { "count": 10, "p50Us": 40, "p99Us": 90 } },
          "processes": [ { "name": "proxy", "cpuSeconds": 1, "cpuUsPerUnit": 2.5 }, { "name": "loadtest", "cpuSeconds": 1 } ],
          "reasons": {}
        }
        """);
}
