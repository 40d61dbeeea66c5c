using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool.Host;

namespace Trunkline.SystemTests.Host;

/// <summary>./trunkline check host, on machines that are made of files, and on this one.</summary>
public sealed class HostCheckTests : IDisposable
{
    private readonly string _root = Tier.NewFolder();

    public HostCheckTests()
    {
        Write("proc/self/limits", "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 1048576              files\n");
        Write("proc/sys/fs/file-max", "9223372036854775807");
        Write("proc/sys/fs/nr_open", "1048576");
        Write("proc/sys/net/core/somaxconn", "4096");
        Write("proc/sys/net/ipv4/tcp_max_syn_backlog", "4096");
        Write("proc/sys/net/ipv4/ip_local_port_range", "1024\t65535");
        Write("proc/sys/net/ipv4/tcp_mem", "287586\t383451\t575172");
        Write("proc/meminfo", "MemTotal:       24105000 kB\nMemAvailable:   20000000 kB\n");
        Write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");
        Write("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc");
        Write("sys/fs/cgroup/cpu.max", "max 100000");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_machine_that_is_fit_needs_no_change() => Assert.All(Run(50_000), finding => Assert.True(finding.IsGood, finding.ToString()));

    [Theory]
    [InlineData("proc/self/limits", "Max open files            1024                 20000                files", "or run 3 proxies")]
    [InlineData("proc/sys/fs/file-max", "100000", "sysctl -w fs.file-max=150000")]
    [InlineData("proc/sys/fs/nr_open", "40000", "sysctl -w fs.nr_open=51000")]
    [InlineData("proc/sys/net/core/somaxconn", "128", "sysctl -w net.core.somaxconn=4096")]
    [InlineData("proc/sys/net/ipv4/tcp_max_syn_backlog", "512", "handshakes beyond it")]
    [InlineData("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999", "set 10240 65535")]
    [InlineData("proc/sys/net/netfilter/nf_conntrack_max", "65536", "sysctl -w net.netfilter.nf_conntrack_max=100000")]
    [InlineData("proc/sys/net/ipv4/tcp_mem", "100 200 300", "raise its second and third number")]
    [InlineData("proc/meminfo", "MemAvailable:   100000 kB", "add memory or machines")]
    [InlineData("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never", "set madvise")]
    [InlineData("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet", "prefer tsc")]
    [InlineData("sys/fs/cgroup/cpu.max", "50000 100000", "give it at least one")]
    public void What_is_too_small_is_named_with_what_to_do(string file, string text, string advice)
    {
        Write(file, text);
        HostFinding finding = Assert.Single(Run(50_000), finding => !finding.IsGood);
        Assert.Contains(advice, finding.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void More_devices_than_ports_need_several_addresses() =>
        Assert.Contains(
            "several addresses",
            Assert.Single(Run(70_000), finding => !finding.IsGood).Advice,
            StringComparison.Ordinal);

    [Fact]
    public void What_cannot_be_read_is_left_out()
    {
        Directory.Delete(Path.Combine(_root, "proc"), recursive: true);
        Write("sys/fs/cgroup/cpu.max", "nonsense");
        Assert.All(Run(50_000), finding => Assert.True(finding.IsGood));
    }

    [Fact]
    public async Task This_machine_is_read()
    {
        CommandResult result = await Tier.ToolAsync("check", "host", "--devices", "100");
        Assert.True(result.ExitCode is 0 or 1, result.Errors);
        Assert.Contains("net.core.somaxconn", result.Output, StringComparison.Ordinal);
        Assert.Contains("open files of a process", result.Output, StringComparison.Ordinal);
    }

    private IReadOnlyList<HostFinding> Run(int devices) => new HostCheck(new HostFiles(_root), devices).Run();

    private void Write(string file, string text)
    {
        string path = Path.Combine(_root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
