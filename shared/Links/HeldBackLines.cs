namespace Trunkline.Links;

/// <summary>How many lines like the one it ends were held back since the last; nothing where there were none.</summary>
internal readonly record struct HeldBackLines(int Count)
{
    public override string ToString() => Count == 0 ? "" : $" ({Count} earlier lines like it were held back)";
}
