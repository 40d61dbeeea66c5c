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
    public void This_process_can_be_read_and_one_that_is_gone_cannot()
    {
        Assert.True(ProcessSample.Read(Environment.ProcessId)!.Value.RssBytes > 1 << 20);
        Assert.True(ProcessSample.ReadExactRss(Environment.ProcessId) > 1 << 20);
        Assert.Null(ProcessSample.Read(int.MaxValue));
        Assert.Null(ProcessSample.ReadExactRss(int.MaxValue));
    }
}
