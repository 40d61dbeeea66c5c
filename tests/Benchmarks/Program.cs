using System.Globalization;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Trunkline.Benchmarks;

// ./trunkline bench --micro [FILTER] runs BenchmarkDotNet; the row filters-200k of ./trunkline bench reads one line of JSON.
if (args is ["filters", var count])
{
    Console.WriteLine(ManyFilters.Measure(int.Parse(count, CultureInfo.InvariantCulture)));
    return 0;
}

// In this process: the repository's central package versions do not fit the project that BenchmarkDotNet would generate.
IConfig config = DefaultConfig.Instance
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .AddDiagnoser(MemoryDiagnoser.Default);
string filter = args is [var only, ..] ? $"*{only.Trim('*')}*" : "*";
return BenchmarkSwitcher.FromAssembly(typeof(ManyFilters).Assembly).Run(["--filter", filter], config).Any() ? 0 : 1;
