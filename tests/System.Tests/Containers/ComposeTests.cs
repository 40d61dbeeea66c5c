using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;

namespace Trunkline.SystemTests.Containers;

/// <summary>What can be held of docker-compose.yml where no engine runs.</summary>
public sealed class ComposeTests
{
    [ProgramsFact("docker-compose")]
    public async Task Docker_compose_accepts_the_file()
    {
        CommandResult result = await CommandRunner.RunAsync("docker-compose", "-f", Path.Combine(Repository.Root, "docker-compose.yml"), "config", "-q");
        result.EnsureSuccess();
    }

    [ProgramsFact("docker-compose")]
    public async Task Every_service_is_checked_for_health_runs_without_root_and_read_only()
    {
        ComposeFile compose = await ComposeFile.LoadAsync();
        Assert.Equal(
            ["broker-0", "broker-1", "grafana", "nginx", "prometheus", "proxy-1", "proxy-2", "proxy-3", "redis"],
            compose.Services.Keys.Order(StringComparer.Ordinal));
        foreach ((string name, string text) in compose.Services)
        {
            // What we build says so in its Dockerfile; see below.
            bool isBuilt = text.Contains("    build:\n", StringComparison.Ordinal);
            Assert.True(isBuilt || text.Contains("    user: ", StringComparison.Ordinal), name);
            Assert.True(isBuilt || text.Contains("    healthcheck:\n", StringComparison.Ordinal), name);
            Assert.Contains("    read_only: true\n", text, StringComparison.Ordinal);
            Assert.Contains("    cap_drop:\n    - ALL\n", text, StringComparison.Ordinal);
            Assert.DoesNotContain(":latest", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("proxy/Dockerfile")]
    [InlineData("broker/Dockerfile")]
    [InlineData("nginx/Dockerfile")]
    public void Every_image_of_ours_has_a_user_and_a_health_check(string file)
    {
        DockerStage last = Dockerfile.Parse(File.ReadAllText(Path.Combine(Repository.Root, file)))[^1];
        string? user = last.Last("USER")?.Text;
        Assert.NotNull(user);
        Assert.NotEqual("root", user);
        Assert.NotEqual("0", user);
        Assert.NotNull(last.Last("HEALTHCHECK"));
        Assert.NotEmpty(last.Last("ENTRYPOINT")!.Words);
    }
}
