using System.Reflection;
using Xunit.Sdk;

namespace Trunkline.Sessions.Tests.Harness;

/// <summary>How bytes reach a channel: whole, or one more byte at every call until a packet is used.</summary>
public enum Feed
{
    Whole,
    Split,
}

/// <summary>One way to run a test: the version its clients speak and how their bytes arrive.</summary>
public sealed record Setup(ProtocolVersion Version, Feed Feed)
{
    public bool IsV5 => Version == ProtocolVersion.Mqtt50;

    public static Setup V5 { get; } = new(ProtocolVersion.Mqtt50, Feed.Whole);

    public static Setup V311 { get; } = new(ProtocolVersion.Mqtt311, Feed.Whole);

    public override string ToString() => $"{Version} {Feed}";
}

/// <summary>Runs a theory in each of the versions (3.1.1 and 5.0 when none is named), whole and split at every byte.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EachAttribute(params ProtocolVersion[] versions) : DataAttribute
{
    public IReadOnlyList<ProtocolVersion> Versions { get; } =
        versions.Length > 0 ? versions : [ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt50];

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        Versions.SelectMany(version => Enum.GetValues<Feed>().Select(feed => new object[] { new Setup(version, feed) }));
}
