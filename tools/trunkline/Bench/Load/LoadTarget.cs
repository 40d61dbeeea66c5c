using System.Globalization;

namespace Trunkline.Tool.Bench.Load;

/// <summary>Where a load goes and whose CPU and memory it is charged with.</summary>
/// <param name="Hosts">What -h of loadtest takes.</param>
/// <param name="Processes">Exactly the processes that the figure means; those of one name are added up.</param>
internal sealed record LoadTarget(string Hosts, IReadOnlyList<MeasuredProcess> Processes)
{
    /// <summary>A port on loopback.</summary>
    public static LoadTarget Port(int port, params IReadOnlyList<MeasuredProcess> processes) =>
        new(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), processes);

    /// <summary>The arguments of loadtest for it.</summary>
    public IEnumerable<string> Arguments() =>
        Processes.SelectMany(process => new[] { "--pid", string.Create(CultureInfo.InvariantCulture, $"{process.Pid}={process.Name}") }).Prepend(Hosts).Prepend("-h");
}

/// <summary>A process that is measured.</summary>
internal sealed record MeasuredProcess(int Pid, string Name);
