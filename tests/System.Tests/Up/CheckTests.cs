using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;

namespace Trunkline.SystemTests.Up;

/// <summary>./trunkline check tells everything that is wrong at once, with path and fix.</summary>
public sealed class CheckTests
{
    [Fact]
    public async Task A_sound_configuration_is_said_to_be_sound()
    {
        CommandResult result = (await Tier.ToolAsync("check", "--Node:Name", "edge-7")).EnsureSuccess();
        Assert.Contains("sound", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_error_of_file_variables_and_command_line_is_reported_with_path_and_fix()
    {
        string folder = Tier.NewFolder();
        string file = Path.Combine(folder, "settings.json");
        await File.WriteAllTextAsync(file, """
            {
              // Comments are allowed.
              "Mqtt": { "MaximumPacketSiz": 1000, "ReceiveMaximum": 0 },
              "Listeners": [ { "Name": "mqtt", "Type": "tpc", "Address": "nowhere" } ],
              "Groups": [ { "Name": "a", "Kind": "trunkline", "Address": "host-without-port" }, { "Name": "a", "CaFile": "/no/such/file" } ],
              "Lnks": { "LingerMs": 1 },
            }
            """);
        CommandResult result = await CommandRunner.RunAsync(
            TimeSpan.FromMinutes(3),
            start => start.Environment["TRUNKLINE__Links__KeepAliveSeconds"] = "often",
            Path.Combine(Repository.Root, "trunkline"),
            "check", "--config", file, "--mqtt-prot", "1884", "--Sharding:KeyLevels", "-1");

        Assert.Equal(2, result.ExitCode);
        string[][] expected =
        [
            ["Mqtt:MaximumPacketSiz:", "Did you mean MaximumPacketSize?"],
            ["Mqtt:ReceiveMaximum:", "between 1 and 65535"],
            ["Listeners:0:Type:", "tpc", "Tcp"],
            ["Listeners:0:Address:", "nowhere", "127.0.0.1:1883"],
            ["Groups:0:Address:", "host-without-port"],
            ["Groups:", "the name a 2 times"],
            ["Groups:1:CaFile:", "/no/such/file"],
            ["Lnks:", "Did you mean Links?"],
            ["Links:KeepAliveSeconds:", "often", "a whole number"],
            ["--mqtt-prot:", "Did you mean --mqtt-port?"],
            ["Sharding:KeyLevels:", "-1"],
        ];
        string[] lines = result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(expected, texts => Assert.True(
            lines.Any(line => line.StartsWith(texts[0], StringComparison.Ordinal) && texts.All(text => line.Contains(text, StringComparison.Ordinal))),
            $"{string.Join(" ... ", texts)} is not among:\n{result.Errors}"));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Up_refuses_what_check_refuses()
    {
        CommandResult result = await Tier.ToolAsync("up", "--groups", "0", "--Nod:Name", "x");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("Did you mean Node?", result.Errors, StringComparison.Ordinal);
        Assert.Contains("--groups", result.Errors, StringComparison.Ordinal);
    }
}
