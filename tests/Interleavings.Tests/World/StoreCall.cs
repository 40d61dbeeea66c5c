using System.Text.RegularExpressions;

namespace Trunkline.Interleavings;

/// <summary>One call to the directory on its way: first it takes effect, then its answer comes; either may be lost.</summary>
internal abstract class StoreCall(string name)
{
    /// <summary>What is asked, for people.</summary>
    public string Name { get; } = name;

    /// <summary>Whether it has taken effect.</summary>
    public bool IsApplied { get; protected set; }

    /// <summary>It takes effect.</summary>
    public abstract void Apply();

    /// <summary>The caller hears what came of it, and goes on.</summary>
    public abstract void Answer();

    /// <summary>The caller hears that the directory cannot be reached, and goes on.</summary>
    public abstract void Fail();

    /// <summary>What came of it, for people.</summary>
    public abstract string Outcome { get; }
}

/// <inheritdoc/>
internal sealed partial class StoreCall<T>(string name, Func<ValueTask<T>> run, T failed) : StoreCall(name)
{
    private readonly TaskCompletionSource<T> _source = new();
    private T _result = default!;

    public override string Outcome => Brief().Replace($"{_result}", "");

    [GeneratedRegex("Trunkline\\.\\w+\\.|DirectoryResult|, IsOk = \\w+|, Detail = (?=[ ,])|System\\.\\S+")]
    private static partial Regex Brief();

    public ValueTask<T> Task => new(_source.Task);

    public override void Apply()
    {
        ValueTask<T> ran = run();
        _result = ran.IsCompleted ? ran.GetAwaiter().GetResult() : throw new InvalidOperationException($"{Name} did not complete at once.");
        IsApplied = true;
    }

    public override void Answer() => _source.TrySetResult(_result);

    public override void Fail() => _source.TrySetResult(failed);
}
