using System.CommandLine;

namespace Trunkline.Tool.Bench.Floor;

/// <summary>A hidden command: the peer of the TLS row, in a process of its own so that its memory can be read.</summary>
internal static class TlsFloorCommand
{
    public const string Name = "bench-tls-floor";

    public static Command Create()
    {
        Option<int> port = new("--port") { Required = true };
        Option<string> certificate = new("--certificate") { Required = true };
        Option<string> key = new("--key") { Required = true };
        Command command = new(Name, "Hold TLS connections with OpenSSL and nothing else.") { port, certificate, key };
        command.Hidden = true;
        command.SetAction((parsed, cancellation) => Task.Run(
            () => new TlsFloorServer(parsed.GetValue(certificate)!, parsed.GetValue(key)!).Run(parsed.GetValue(port), cancellation), CancellationToken.None));
        return command;
    }
}
