namespace Trunkline.Directory;

/// <summary>Outcome of a directory call without a value.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Detail">For people: empty when all is well.</param>
public readonly record struct DirectoryResult(DirectoryStatus Status, string Detail = "")
{
    /// <summary>Done as asked.</summary>
    public bool IsOk => Status == DirectoryStatus.Ok;
}

/// <summary>Outcome of a directory call with a value; the value means something for <see cref="DirectoryStatus.Ok"/>, and where a method says so.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Value">The value.</param>
/// <param name="Detail">For people: empty when all is well.</param>
public readonly record struct DirectoryResult<T>(DirectoryStatus Status, T Value, string Detail = "")
{
    /// <summary>Done as asked.</summary>
    public bool IsOk => Status == DirectoryStatus.Ok;

    /// <summary>The same outcome without its value.</summary>
    public DirectoryResult WithoutValue() => new(Status, Detail);

    internal static DirectoryResult<T> Of(T value) => new(DirectoryStatus.Ok, value);

    internal static DirectoryResult<T> Failed(DirectoryStatus status, string detail = "") => new(status, default!, detail);
}
