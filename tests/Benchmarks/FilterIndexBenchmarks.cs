using BenchmarkDotNet.Attributes;
using Trunkline.Topics;

namespace Trunkline.Benchmarks;

/// <summary>Matching and changing the index of filters.</summary>
public class FilterIndexBenchmarks
{
    private readonly FilterIndex<int> _index = new();
    private byte[] _topic = [];
    private byte[] _newFilter = [];

    [Params(10, 1_000, 200_000)]
    public int Filters { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        for (int i = 0; i < Filters; i++)
        {
            _index.Add(ManyFilters.FilterOf(i), i);
        }

        _topic = ManyFilters.TopicOf(Filters / 2);
        _newFilter = "sites/none/+/state"u8.ToArray();
    }

    [Benchmark]
    public long Match()
    {
        ManyFilters.Collector found = default;
        _index.Match(_topic, ref found);
        return found.Count;
    }

    [Benchmark]
    public bool AddAndRemove() => _index.Add(_newFilter, -1) & _index.Remove(_newFilter, -1);
}
