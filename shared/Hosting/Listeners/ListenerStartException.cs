namespace Trunkline.Hosting;

/// <summary>Listeners that could not start, every one of them named.</summary>
public sealed class ListenerStartException : Exception
{
    /// <summary>Makes it from a sentence per listener.</summary>
    public ListenerStartException(IReadOnlyList<string> errors)
        : base(string.Join(Environment.NewLine, errors)) => Errors = errors;

    /// <summary>A sentence per listener.</summary>
    public IReadOnlyList<string> Errors { get; }
}
