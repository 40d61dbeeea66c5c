using System.Diagnostics;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>A page in headless Chromium. What it writes to its console are lines: await them.</summary>
public sealed class ChromiumPage : LiveProcess
{
    private readonly string _folder;

    private ChromiumPage(ProcessStartInfo start, string folder)
        : base(start) => _folder = folder;

    /// <summary>Opens a page from its text, for example with mqtt.js inside a script element.</summary>
    public static ChromiumPage Open(string html)
    {
        string folder = Directory.CreateTempSubdirectory("trunkline-chromium-").FullName;
        string page = Path.Combine(folder, "page.html");
        File.WriteAllText(page, html);

        // Root needs --no-sandbox; without the rest Chromium looks for hosts that are not there.
        ProcessStartInfo start = new(
            "chromium",
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0",
                "--remote-debugging-port=0", "--user-data-dir=" + Path.Combine(folder, "profile"), "file://" + page,
            ]);
        return new ChromiumPage(start, folder);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();

        // Its helpers were killed with it, but nobody waits for their end: one may still write a file.
        await Eventually.HoldsAsync(
            () =>
            {
                try
                {
                    Directory.Delete(_folder, recursive: true);
                    return true;
                }
                catch (IOException)
                {
                    return false;
                }
            },
            "the page's folder can be removed");
    }
}
