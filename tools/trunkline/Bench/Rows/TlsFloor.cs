using System.Globalization;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Parts;
using Trunkline.Tool.Readiness;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>The TLS library alone as a peer: this program again, as the server of <see cref="Floor.TlsFloorCommand"/>.</summary>
internal static class TlsFloor
{
    private const string Name = "tls-floor";

    /// <summary>Starts it empty, with the certificate of the row's tier.</summary>
    public static async Task<LoadTarget> StartAsync(RowRun run)
    {
        int port = run.Settings.Ports.Floor;
        string authority = run.Stage.AuthorityFolder(0);
        string folder = Directory.CreateDirectory(Path.Combine(run.Settings.Folder, "peers", Name)).FullName;
        Part part = new(
            Name,
            PartKind.Peer,
            [
                Programs.Own(Repository.ToolProgram), Floor.TlsFloorCommand.Name, "--port", port.ToString(CultureInfo.InvariantCulture),
                "--certificate", Path.Combine(authority, "server.pem"), "--key", Path.Combine(authority, "server.key"),
            ],
            folder,
            [new PartPort("mqtts", port)],
            new PartReadiness(ReadinessKind.Tcp, port));
        await run.Stage.RestartPeerAsync(part, run.Cancellation);
        return LoadTarget.Port(port, run.Stage.MeasuredPeer(Name));
    }
}
