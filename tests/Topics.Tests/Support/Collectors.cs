namespace Trunkline.Topics.Tests;

internal readonly struct ListCollector<T>(List<T> values) : IFilterCollector<T>
{
    public void Add(T value) => values.Add(value);
}

internal struct CountCollector<T> : IFilterCollector<T>
{
    public int Count;

    public void Add(T value) => Count++;
}

internal readonly struct PageReader<T>(List<(string Topic, T Value)> entries, int pageSize) : ITopicReader<T>
{
    private readonly int _end = entries.Count + pageSize;

    public bool Read(ReadOnlyMemory<byte> topic, T value)
    {
        entries.Add((Utf8Text.Text(topic.Span), value));
        return entries.Count < _end;
    }
}
