using Trunkline.Tool.Parts;

namespace Trunkline.Tool.Tier;

/// <summary>
/// Another build of Trunkline, most often an older one: the same settings start its proxies and brokers beside ours. Two
/// versions work side by side so long as an upgrade lasts.
/// </summary>
/// <param name="Root">The folder of its Proxy.sln, with its programs built.</param>
internal sealed record OtherBuild(string Root)
{
    /// <summary>Whether a part's program is of that build.</summary>
    public bool Has(Part part) => IsBelow(part.Command[0], Root);

    /// <summary>Whether a part's program is of either build. Redis, nginx and Mosquitto are of none.</summary>
    public bool Builds(Part part) => Has(part) || IsBelow(part.Command[0], Repository.Root);

    /// <summary>The part as of that build.</summary>
    public Part Theirs(Part part) => Has(part) ? part : Moved(part, Repository.Root, Root);

    /// <summary>The part as of our build.</summary>
    public Part Ours(Part part) => Has(part) ? Moved(part, Root, Repository.Root) : part;

    /// <summary>The part as of the build that it is not of.</summary>
    public Part Swapped(Part part) => Has(part) ? Ours(part) : Theirs(part);

    private static bool IsBelow(string program, string root) =>
        program.StartsWith(Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    // What belongs to no build stays what it is.
    private static Part Moved(Part part, string from, string to) => IsBelow(part.Command[0], from)
        ? part with { Command = [Programs.Own(Path.Combine(to, Path.GetRelativePath(from, part.Command[0]))), .. part.Command.Skip(1)] }
        : part;
}
