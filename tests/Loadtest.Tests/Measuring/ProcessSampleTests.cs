using System.Diagnostics;

namespace Trunkline.Loadtest.Tests.Measuring;

public sealed class ProcessSampleTests
{
    [Fact]
    public void A_name_with_blanks_and_brackets_does_not_shift_the_fields()
    {
        ProcessSample sample = ProcessSample.Parse(
            "123 (a) b (c) S 1 123 123 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 5 0 1000 200000000 300 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0");
        Assert.Equal(3.0, sample.CpuSeconds, 1e-9);
        Assert.Equal(300L * Environment.SystemPageSize, sample.RssBytes);
    }

    [Fact]
    public void The_clock_of_a_process_tells_what_the_kernel_counts_in_ticks()
    {
        var start = new ProcessStartInfo("sh", ["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo; read x"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using Process busy = Process.Start(start)!;
        busy.StandardOutput.ReadLine();
        double seconds = ProcessClock.CpuSeconds(busy.Id)!.Value;
        double ticks = ProcessSample.Parse(File.ReadAllText($"/proc/{busy.Id}/stat")).CpuSeconds;
        busy.StandardInput.Close();
        busy.WaitForExit();
        Assert.InRange(seconds, ticks - 0.1, ticks + 0.1);
        Assert.True(seconds > 0.01, $"{seconds} s");
    }

    [Fact]
    public void This_process_can_be_read_and_one_that_is_gone_cannot()
    {
        Assert.True(ProcessSample.Read(Environment.ProcessId)!.Value.RssBytes > 1 << 20);
        Assert.True(ProcessSample.ReadExactRss(Environment.ProcessId) > 1 << 20);
        Assert.Null(ProcessSample.Read(int.MaxValue));
        Assert.Null(ProcessClock.CpuSeconds(int.MaxValue));
        Assert.Null(ProcessClock.CpuSeconds(0));
        Assert.Null(ProcessSample.ReadExactRss(int.MaxValue));
    }
}
