using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;
using Trunkline.Tool.Parts;
using Trunkline.Tool.Readiness;
using Trunkline.Tool.Tier;

namespace Trunkline.SystemTests.Chaos;

/// <summary>`./trunkline chaos --other`: which parts are of which build. The run of two real builds is one by hand: docs/RELIABILITY.md.</summary>
public sealed class OtherBuildTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("trunkline-other-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_proxy_moves_between_the_builds_with_its_settings_and_Redis_is_of_none()
    {
        string program = Path.Combine(_root, Path.GetRelativePath(Repository.Root, Repository.ProxyProgram));
        Directory.CreateDirectory(Path.GetDirectoryName(program)!);
        File.WriteAllText(program, "");
        OtherBuild other = new(_root);
        Part ours = PartOf(PartKind.Proxy, Repository.ProxyProgram);
        Part theirs = other.Theirs(ours);
        Assert.Equal([program, "--config", "file"], theirs.Command);
        Assert.True(other.Has(theirs) && !other.Has(ours));
        Assert.Equal(ours.Command, other.Swapped(theirs).Command);
        Assert.Equal(theirs.Command, other.Swapped(ours).Command);
        Assert.Equal(theirs.Command, other.Theirs(theirs).Command);
        Assert.Equal(ours.Command, other.Ours(theirs).Command);

        Part redis = PartOf(PartKind.Redis, "/usr/bin/redis-server");
        Assert.Equal(redis.Command, other.Swapped(redis).Command);
        Assert.True(other.Builds(ours) && other.Builds(theirs) && !other.Builds(redis));
    }

    [Fact]
    public void A_build_without_that_program_is_refused_with_its_path()
    {
        ToolException refusal = Assert.Throws<ToolException>(() => new OtherBuild(_root).Theirs(PartOf(PartKind.Broker, Repository.BrokerProgram)));
        Assert.Contains(Path.Combine(_root, "broker"), refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parts_of_another_build_without_a_build_are_refused_with_a_sentence()
    {
        CommandResult result = await Tier.ToolAsync("chaos", "--other-parts", "proxy-1");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--other-parts needs --other", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_part_that_is_of_no_build_is_refused_by_its_name()
    {
        CommandResult result = await Tier.ToolAsync("chaos", "--other", _root, "--other-parts", "redis-1");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--other-parts redis-1: its program is of neither build", result.Errors, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));
    }

    private static Part PartOf(PartKind kind, string program) =>
        new("part", kind, [program, "--config", "file"], "folder", [], new PartReadiness(ReadinessKind.Http, 1));
}
