namespace Trunkline.Directory;

/// <summary>Answer to a take-over request.</summary>
public enum TakeOverAnswer : byte
{
    /// <summary>The previous node stopped delivering and closed the old connection, or had none.</summary>
    Confirmed,

    /// <summary>No answer within <see cref="DirectoryOptions.TakeOverDeadlineMs"/>; the token rule keeps the old holder from changing anything.</summary>
    NoAnswer,
}
