namespace Trunkline.SystemTests.Infrastructure;

/// <summary>The helpers that other tests lean on do run here.</summary>
public sealed class HelperTests
{
    [ProgramsFact("node")]
    public async Task Node_finds_mqtt_js()
    {
        await using LiveProcess node = NodeScript.Start("console.log(typeof require('mqtt').connect, process.argv[2])", "argument");
        Assert.Equal("function argument", await node.AwaitLineAsync("function"));
    }

    [ProgramsFact("chromium")]
    public async Task Chromium_runs_mqtt_js_in_a_page()
    {
        string bundle = await File.ReadAllTextAsync(NodeScript.BrowserBundle);
        await using ChromiumPage page = ChromiumPage.Open(
            $"<!DOCTYPE html><script>{bundle}</script><script>console.log('page: ' + typeof mqtt.connect)</script>");
        await page.AwaitLineAsync("page: function");
    }

    [Fact]
    public async Task A_line_that_never_comes_fails_with_what_was_said()
    {
        await using LiveProcess process = LiveProcess.Start("sh", "-c", "echo something; exec sleep 30");
        await process.AwaitLineAsync("something");
        Exception error = await Assert.ThrowsAnyAsync<Exception>(() => process.AwaitLineAsync("else", TimeSpan.FromMilliseconds(200)));
        Assert.Contains("something", error.Message, StringComparison.Ordinal);
    }
}
