using System.Globalization;
using Trunkline.Tool.Authority;

namespace Trunkline.Tool.Tier;

/// <summary>Where everything of one tier stands: folder, ports, certificates.</summary>
internal sealed record TierLayout(TierSpecification Specification, string Folder, TestAuthorityFiles Authority)
{
    public PortPlan Ports { get; } = new(Specification.BasePort);

    public static string GroupName(int group) => string.Create(CultureInfo.InvariantCulture, $"group-{group}");

    /// <summary>Makes the folder of one part.</summary>
    public string CreateFolder(string part) => Directory.CreateDirectory(Path.Combine(Folder, part)).FullName;
}
