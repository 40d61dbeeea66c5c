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

    [Fact]
    public async Task A_data_folder_that_cannot_be_used_is_named_with_its_fault_and_the_fix()
    {
        string folder = Tier.NewFolder();
        string file = Path.Combine(folder, "file");
        await File.WriteAllTextAsync(file, "");
        string closed = Directory.CreateDirectory(Path.Combine(folder, "closed")).FullName;
        File.SetUnixFileMode(closed, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        string used = Path.Combine(folder, "used");
        await using (UpProcess up = await UpProcess.StartAsync("--data", used))
        {
            await RefusesAsync(used, $"Broker:DataDirectory: {used}/group-0 is used by another process. End that one first", $"Directory:DataDirectory: {used}/directory is used by another process.");
            CommandResult second = await Tier.ToolAsync(["up", .. UpProcess.Flags(0, 0, 0), "--data", used]);
            Assert.Equal(1, second.ExitCode);
            Assert.Matches($"{used}/(group-0|directory) (cannot be taken|is used by another process)", second.Errors);
        }

        await RefusesAsync(file, $"Broker:DataDirectory: names {file}, which is a file. Name a folder.");
        await RefusesAsync(Path.Combine(file, "below"), $"Broker:DataDirectory: names {file}/below, but {file} is a file.");
        if (!Environment.IsPrivilegedProcess)
        {
            await RefusesAsync(closed, $"Broker:DataDirectory: {closed} may not be written by {Environment.UserName}. Give the folder to that user (chown)");
        }

        (await Tier.ToolAsync("check", "--data", used)).EnsureSuccess();
        (await Tier.ToolAsync("check", "--data", Path.Combine(folder, "not", "there"))).EnsureSuccess();
        Assert.False(Directory.Exists(Path.Combine(folder, "not")));
        Directory.Delete(folder, recursive: true);

        static async Task RefusesAsync(string data, params string[] says)
        {
            CommandResult result = await Tier.ToolAsync("check", "--data", data);
            Assert.Equal(2, result.ExitCode);
            Assert.All(says, sentence => Assert.Contains(sentence, result.Errors, StringComparison.Ordinal));
        }
    }
}
