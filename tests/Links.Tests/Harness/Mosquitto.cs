using System.Diagnostics;
using System.Globalization;

namespace Trunkline.Links.Tests;

/// <summary>Debian's mosquitto on a free loopback port, in a folder of its own; ended by its process id.</summary>
internal sealed class Mosquitto : IDisposable
{
    private const string Path = "/usr/sbin/mosquitto";
    private readonly string _folder;
    private Process? _process;

    private Mosquitto(string configuration)
    {
        _folder = Directory.CreateTempSubdirectory("links-mosquitto-").FullName;
        Port = FreePorts.Take();
        File.WriteAllText(
            System.IO.Path.Combine(_folder, "mosquitto.conf"),
            $"listener {Port.ToString(CultureInfo.InvariantCulture)} 127.0.0.1\nallow_anonymous true\npersistence false\n{configuration}\n");
    }

    public static bool IsInstalled => File.Exists(Path);

    public int Port { get; }

    public static async Task<Mosquitto> StartAsync(string configuration = "max_inflight_messages 0\nmax_queued_messages 0")
    {
        var broker = new Mosquitto(configuration);
        await broker.StartAgainAsync();
        return broker;
    }

    public async Task StartAgainAsync()
    {
        var information = new ProcessStartInfo(Path, ["-c", System.IO.Path.Combine(_folder, "mosquitto.conf")])
        {
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        _process = Process.Start(information)!;
        var running = new TaskCompletionSource();
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                running.TrySetException(new InvalidOperationException("mosquitto ended at once."));
            }
            else if (line.Data.EndsWith("running", StringComparison.Ordinal))
            {
                running.TrySetResult();
            }
        };
        _process.BeginErrorReadLine();
        await running.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            Kill();
        }

        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
