using System.Collections;
using Microsoft.Extensions.Configuration;
using Trunkline.Hosting.Configuration;

namespace Trunkline.Hosting.Tests.Configuration;

public sealed class ConfigurationSourcesTests : IDisposable
{
    private static readonly Dictionary<string, string> ShortFlags = new()
    {
        ["--groups"] = "EmbeddedGroups",
        ["--mqtt-port"] = "Default:MqttPort",
    };

    private readonly string _folder = System.IO.Directory.CreateTempSubdirectory("trunkline-settings-").FullName;
    private readonly Hashtable _variables = [];
    private readonly List<ConfigurationError> _errors = [];

    public void Dispose() => System.IO.Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Each_place_wins_over_those_before_it()
    {
        Write("appsettings.json", """{ "A": "file", "B": "file", "C": "file", "D": "file" }""");
        string named = Write("named.json", """{ "B": "named", "C": "named", "D": "named" }""");
        _variables["TRUNKLINE__C"] = "variable";
        _variables["TRUNKLINE__D"] = "variable";

        IConfiguration read = Read("--config", named, "--D", "flag");

        Assert.Equal(["file", "named", "variable", "flag"], new[] { "A", "B", "C", "D" }.Select(key => read[key]));
        Assert.Empty(_errors);
    }

    [Fact]
    public void Variables_name_sections_by_double_underscores_in_any_case()
    {
        _variables["trunkline__Node__Name"] = "edge-7";
        _variables["TRUNKLINE_NO_BUILD"] = "1";
        _variables["PATH"] = "x";

        IConfiguration read = Read();

        Assert.Equal("edge-7", read["Node:Name"]);
        Assert.Equal(["Node"], read.GetChildren().Select(child => child.Key));
    }

    [Fact]
    public void A_list_that_a_later_place_names_replaces_the_earlier_one_whole()
    {
        Write("appsettings.json", """
            { "Listeners": [ { "Name": "a", "Allow": ["10.0.0.0/8"] }, { "Name": "b" } ], "Endpoints": ["x", "y", "z"], "Other": ["kept"] }
            """);
        _variables["TRUNKLINE__Listeners__0__Address"] = "127.0.0.1:1";
        _variables["TRUNKLINE__Endpoints"] = "w";

        IConfiguration read = Read();

        Assert.Equal(["Address"], read.GetSection("Listeners:0").GetChildren().Select(child => child.Key));
        Assert.False(read.GetSection("Listeners:1").Exists());
        Assert.Equal("w", read["Endpoints"]);
        Assert.Empty(read.GetSection("Endpoints").GetChildren());
        Assert.Equal("kept", read["Other:0"]);
    }

    [Fact]
    public void An_empty_list_empties_an_earlier_one()
    {
        Write("appsettings.json", """{ "Allow": ["10.0.0.0/8"] }""");
        string named = Write("named.json", """{ "Allow": [] }""");

        IConfiguration read = Read("--config", named);

        Assert.Empty(read.GetSection("Allow").GetChildren());
        Assert.True(string.IsNullOrEmpty(read["Allow"]));
    }

    [Fact]
    public void Sections_are_laid_over_each_other_key_by_key()
    {
        Write("appsettings.json", """{ "Mqtt": { "ReceiveMaximum": 7, "MaximumQoS": 1 } }""");

        IConfiguration read = Read("--Mqtt:MaximumQoS", "2");

        Assert.Equal(("7", "2"), (read["Mqtt:ReceiveMaximum"], read["Mqtt:MaximumQoS"]));
    }

    [Fact]
    public void Comments_and_trailing_commas_are_allowed()
    {
        Write("appsettings.json", "{\n// why\n\"A\": \"1\",\n}");

        Assert.Equal("1", Read()["A"]);
        Assert.Empty(_errors);
    }

    [Theory]
    [InlineData("{ \"A\": ", "Mend the JSON")]
    [InlineData("{ \"A\": 1, \"A\": 2 }", "Mend the JSON")]
    public void A_broken_file_is_one_error_among_others(string text, string fix)
    {
        string file = Write("broken.json", text);

        Read("--config", file, "--nonsense", "1");

        Assert.Equal(["--nonsense", file], _errors.Select(error => error.Path));
        Assert.Contains(fix, _errors[1].Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_an_error_only_when_it_was_named()
    {
        Read();
        Assert.Empty(_errors);

        Read("--config", Path.Combine(_folder, "none.json"));
        Assert.Equal("--config", Assert.Single(_errors).Path);
    }

    [Fact]
    public void Flags_take_their_value_behind_a_blank_or_an_equals_sign()
    {
        IConfiguration read = Read("--groups", "3", "--mqtt-port=1884", "--Node:Name=a=b", "--Number", "-5");

        Assert.Equal(["3", "1884", "a=b", "-5"], new[] { "EmbeddedGroups", "Default:MqttPort", "Node:Name", "Number" }.Select(key => read[key]));
        Assert.Empty(_errors);
    }

    [Theory]
    [InlineData("--group 3", "--group: is no flag of this program. Did you mean --groups?")]
    [InlineData("--zzz 3", "--zzz: is no flag of this program. Settings are given as --Section:Key value.")]
    [InlineData("stray", "stray: is no flag of this program. Settings are given as --Section:Key value.")]
    [InlineData("--groups", "--groups: has no value. Give it as --groups VALUE.")]
    [InlineData("--groups --mqtt-port 1", "--groups: has no value. Give it as --groups VALUE.")]
    [InlineData("--config", "--config: has no value. Give it as --config VALUE.")]
    public void A_wrong_flag_is_one_error(string arguments, string error)
    {
        Read(arguments.Split(' '));

        Assert.Equal([error], _errors.Select(found => found.ToString()));
    }

    private IConfiguration Read(params string[] arguments) =>
        ConfigurationSources.Read(arguments, ShortFlags, new ConfigurationPlaces(_folder, _variables), _errors);

    private string Write(string name, string text)
    {
        string file = Path.Combine(_folder, name);
        File.WriteAllText(file, text);
        return file;
    }
}
