using Trunkline.Hosting.Configuration;
using Trunkline.Proxy;

namespace Trunkline.ProxyTests.Options;

public sealed class ProgramStartTests : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();

    public void Dispose()
    {
        _output.Dispose();
        _errors.Dispose();
    }

    [Fact]
    public void A_check_reports_every_error_and_their_number()
    {
        Assert.Equal(2, Decide("check", "--Loops", "99", "--Mqtt:ReceiveMaxmum", "7"));
        Assert.Equal(
            """
            Mqtt:ReceiveMaxmum: is not a known key. Did you mean ReceiveMaximum?
            Loops: is 99. Set it between 1 and 64, or 0 for one per core, at most 2.
            2 errors in the configuration; docs/CONFIGURATION.md has every key.

            """,
            _errors.ToString());
        Assert.Equal("", _output.ToString());
    }

    [Fact]
    public void A_sound_configuration_is_said_to_be_and_runs_only_without_check()
    {
        Assert.Equal(0, Decide("check", "--Loops", "2"));
        Assert.Equal("The configuration is sound.\n", _output.ToString());
        Assert.Null(Decide("--Loops", "2"));
    }

    [Fact]
    public void A_start_with_errors_reports_as_a_check_does()
    {
        Assert.Equal(2, Decide("--Loops", "99"));
        Assert.Contains("1 error in the configuration", _errors.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--version", "1.2.3\n")]
    [InlineData("--help", "how to\n")]
    [InlineData("-h", "how to\n")]
    [InlineData("check --help", "how to\n")]
    [InlineData("--Loops 99 --help", "how to\n")]
    [InlineData("check --Loops 99 -h", "how to\n")]
    public void Version_and_help_are_printed(string arguments, string text)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        Assert.Equal(0, Decide(arguments.Split(' ')));
        Assert.Equal(text, _output.ToString());
    }

    private int? Decide(params string[] arguments) =>
        ProgramStart.Decide(arguments, "1.2.3", "how to", rest => ProxyOptionsReader.Read(rest).Errors, _output, _errors);
}
