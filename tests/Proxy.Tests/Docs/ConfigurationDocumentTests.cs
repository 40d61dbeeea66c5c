using Trunkline.BrokerProcess;
using Trunkline.Hosting.Configuration;
using Trunkline.Proxy;

namespace Trunkline.ProxyTests.Docs;

/// <summary>docs/CONFIGURATION.md is exactly true: every key with its default, none that is not there.</summary>
public sealed class ConfigurationDocumentTests
{
    private const string Both = "Both programs";

    [Fact]
    public void The_proxys_keys_and_defaults_are_documented_both_ways() => Compare("Proxy", new ProxyOptions());

    [Fact]
    public void The_brokers_keys_and_defaults_are_documented_both_ways() => Compare("Broker", new BrokerProcessOptions());

    [Fact]
    public void Every_short_flag_is_documented_and_stands_for_what_it_says()
    {
        foreach ((string _, string flag, string[] cells) in DocumentTable.Rows("CONFIGURATION.md").Where(row => row.Chapter == "Short flags"))
        {
            string name = flag.Split(' ')[0];
            string key = cells[1].Trim('`');
            if (name == "--config")
            {
                continue;
            }

            string file = Path.Combine(DocumentTable.Root, cells[0] == "broker" ? "broker/Options/BrokerOptionsReader.cs" : "proxy/Options/ProxyOptionsReader.cs");
            Assert.Contains($"[\"{name}\"] = \"{key}\"", File.ReadAllText(file), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("proxy")]
    [InlineData("broker")]
    public void The_commented_settings_beside_a_program_are_sound(string program)
    {
        string shipped = Path.Combine(DocumentTable.Root, program, "appsettings.json");
        string[] lines = File.ReadAllLines(shipped);
        string uncommented = Path.GetTempFileName();
        try
        {
            // Settings stand behind "// " and begin with a quote or a bracket; the other comments are sentences.
            File.WriteAllLines(uncommented, lines.Select(line =>
            {
                string text = line.TrimStart().TrimStart('/').TrimStart();
                return line.TrimStart().StartsWith("//", StringComparison.Ordinal) && text.Length > 0 && "\"{}[]".Contains(text[0], StringComparison.Ordinal) ? text : line;
            }));
            Assert.Empty(Errors(program, ["--config", shipped]));
            Assert.Empty(Errors(program, ["--config", uncommented]));
        }
        finally
        {
            File.Delete(uncommented);
        }
    }

    private static IReadOnlyList<ConfigurationError> Errors(string program, string[] arguments) =>
        program == "proxy" ? ProxyOptionsReader.Read(arguments).Errors : BrokerOptionsReader.Read(arguments).Errors;

    private static void Compare(string chapter, object options)
    {
        var documented = DocumentTable.Rows("CONFIGURATION.md")
            .Where(row => row.Chapter == chapter || row.Chapter == Both)
            .Select(row => $"{row.Name} = {row.Cells[0]}").Order(StringComparer.Ordinal);
        var existing = OptionKeys.Of(options).Select(key => $"{key.Key} = {key.Value}").Order(StringComparer.Ordinal);
        Assert.Equal(existing, documented);
    }
}
