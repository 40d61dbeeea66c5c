using System.Globalization;

namespace Trunkline.Tool.Host;

/// <summary>
/// Looks at a machine that is to carry a number of devices and says what to change. docs/TUNING.md has the reasons at
/// length. Reads only.
/// </summary>
/// <param name="files">What the kernel says.</param>
/// <param name="devices">Devices of this machine.</param>
internal sealed class HostCheck(HostFiles files, int devices)
{
    // Listeners, links, directory, files and a share of devices that come while others go.
    private const int SpareDescriptors = 1000;
    private const int LeastBacklog = 4096;
    private const int LeastPorts = 50_000;

    // Measured (docs/TUNING.md): a TCP endpoint in the kernel, and a device in a proxy.
    private const long KernelBytesPerDevice = 6 * 1024;
    private const long ProxyBytesPerDevice = 4 * 1024;

    private const string Kernel = "proc/sys/";

    /// <summary>Everything that could be read.</summary>
    public IReadOnlyList<HostFinding> Run() =>
    [
        .. new[]
        {
            Descriptors(), SystemFiles(), PerProcessFiles(),
            Backlog("net/core/somaxconn", "connections that wait to be accepted are dropped beyond it when many devices come back at once"),
            Backlog("net/ipv4/tcp_max_syn_backlog", "handshakes beyond it are dropped when many devices come back at once"),
            LocalPorts(), Conntrack(), SocketMemory(), Memory(), HugePages(), Clock(), Processors(),
        }.OfType<HostFinding>(),
    ];

    // "Max open files            1024                 1048576              files"
    private HostFinding? Descriptors()
    {
        IReadOnlyList<string> limits = files.Field("proc/self/limits", "Max open files");
        if (limits.Count < 2 || HostFiles.Number(limits[1]) is not long hard)
        {
            return null;
        }

        // .NET raises the soft limit to the hard one by itself; nginx is told by worker_rlimit_nofile.
        long needed = devices + SpareDescriptors;
        return new HostFinding(
            "open files of a process (hard limit)",
            Text(hard),
            hard >= needed ? null : $"raise it to {Text(needed)} or more (systemd: LimitNOFILE=, docker: --ulimit nofile=), or run {Text((devices / Math.Max(1, hard - SpareDescriptors)) + 1)} proxies; nginx needs two for each device");
    }

    private HostFinding? SystemFiles() => AtLeast(
        "fs/file-max", 3L * devices, "all processes together may open no more: nginx takes two for each device and a proxy one");

    private HostFinding? PerProcessFiles() => AtLeast(
        "fs/nr_open", devices + SpareDescriptors, "no process may open more, whatever its own limit says");

    private HostFinding? Backlog(string setting, string reason) => AtLeast(setting, LeastBacklog, reason);

    private HostFinding? LocalPorts()
    {
        if (files.Numbers(Kernel + "net/ipv4/ip_local_port_range") is not [long first, long last])
        {
            return null;
        }

        long ports = last - first + 1;
        string? advice = ports < LeastPorts
            ? "set 10240 65535: nginx and other clients on this machine reach one address and port of a proxy with at most this many connections"
            : null;
        if (advice is null && devices > ports)
        {
            advice = $"enough for {Text(ports)} connections from one address of nginx to one address and port of a proxy: for {Text(devices)} devices give nginx several addresses (proxy_bind with split_clients) or the proxies several ports";
        }

        return new HostFinding("net.ipv4.ip_local_port_range", string.Create(CultureInfo.InvariantCulture, $"{first} {last}"), advice);
    }

    private HostFinding? Conntrack()
    {
        const string setting = "net/netfilter/nf_conntrack_max";
        return files.First(Kernel + setting) is null
            ? new HostFinding("connection tracking", "not loaded", null)
            : AtLeast(setting, 2L * devices, "connections beyond it are dropped without a word: raise it, or leave MQTT's ports out (iptables -t raw ... -j NOTRACK)");
    }

    // In pages: under pressure above the second, refused above the third.
    private HostFinding? SocketMemory()
    {
        if (files.Numbers(Kernel + "net/ipv4/tcp_mem") is not [_, long pressure, _])
        {
            return null;
        }

        long bytes = pressure * Environment.SystemPageSize;
        long needed = devices * KernelBytesPerDevice;
        return new HostFinding(
            "net.ipv4.tcp_mem (pressure)",
            Size(bytes),
            bytes >= needed ? null : $"raise its second and third number: TCP gets slow above it, and {Text(devices)} devices take up to {Size(needed)} with little in their buffers");
    }

    private HostFinding? Memory()
    {
        if (files.Field("proc/meminfo", "MemAvailable:") is not [string kib, ..] || HostFiles.Number(kib) is not long available)
        {
            return null;
        }

        long bytes = available * 1024;
        long needed = devices * (KernelBytesPerDevice + ProxyBytesPerDevice);
        return new HostFinding(
            "memory available",
            Size(bytes),
            bytes >= needed ? null : $"{Text(devices)} idle devices take {Size(needed)} in the kernel and in proxies: add memory or machines");
    }

    // "always [madvise] never"
    private HostFinding? HugePages()
    {
        string? text = files.Text("sys/kernel/mm/transparent_hugepage/enabled");
        if (text is null)
        {
            return null;
        }

        string chosen = text.Split(' ').FirstOrDefault(word => word.StartsWith('['))?.Trim('[', ']') ?? text;
        return new HostFinding(
            "transparent huge pages",
            chosen,
            chosen == "always" ? "set madvise: with always the memory of a proxy grows in steps of 2 MiB and Redis stalls when it forks" : null);
    }

    private HostFinding? Clock()
    {
        string? source = files.Text("sys/devices/system/clocksource/clocksource0/current_clocksource");
        return source is null
            ? null
            : new HostFinding(
                "clock source",
                source,
                source is "tsc" or "kvm-clock" or "arch_sys_counter" or "hyperv_clocksource_tsc_page" ? null : "reading the time is a system call with it: prefer tsc or the hypervisor's own clock");
    }

    // "200000 100000": microseconds in each period; "max 100000".
    private HostFinding? Processors()
    {
        if (files.Text("sys/fs/cgroup/cpu.max")?.Split(' ') is not [string quota, string period]
            || HostFiles.Number(quota) is not long allowed || allowed == long.MaxValue || HostFiles.Number(period) is not (long length and > 0))
        {
            return null;
        }

        double cores = (double)allowed / length;
        return new HostFinding(
            "CPU quota of the container",
            string.Create(CultureInfo.InvariantCulture, $"{cores:0.##} cores"),
            cores < 1 ? "below one core a loop is stopped within each period of 100 ms, which every device sees as latency: give it at least one" : null);
    }

    private HostFinding? AtLeast(string setting, long needed, string reason)
    {
        if (files.First(Kernel + setting) is not long value)
        {
            return null;
        }

        string name = setting.Replace('/', '.');
        return new HostFinding(name, Text(value), value >= needed ? null : $"sysctl -w {name}={needed.ToString(CultureInfo.InvariantCulture)}: {reason}");
    }

    private static string Text(long number) => number == long.MaxValue ? "unlimited" : number.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Size(long bytes) => bytes >= 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / (1L << 30):0.0} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20} MiB");
}
