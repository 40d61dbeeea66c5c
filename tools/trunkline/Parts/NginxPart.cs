using System.Globalization;
using Trunkline.Tool.Nginx;
using Trunkline.Tool.Readiness;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Parts;

/// <summary>Debian's nginx with nginx/nginx.conf of this repository, its marked values replaced by the tier's.</summary>
internal static class NginxPart
{
    public static Part Create(TierLayout layout)
    {
        const string name = "nginx";
        string folder = layout.CreateFolder(name);
        Directory.CreateDirectory(Path.Combine(folder, "temp"));
        string program = Programs.Find("nginx", "nginx");
        string file = Path.Combine(folder, "nginx.conf");
        File.WriteAllText(file, NginxTemplate.Render(File.ReadAllText(Repository.NginxConfiguration), Values(layout, folder)));
        // The WebSocket port is asked: on the MQTT port each question would be passed on to a proxy.
        return new Part(
            name,
            PartKind.Nginx,
            [program, "-p", folder, "-c", file, "-e", "stderr", "-g", "daemon off;"],
            folder,
            [
                new PartPort("mqtt", layout.Ports.NginxMqtt),
                new PartPort("mqtts", layout.Ports.NginxMqtts),
                new PartPort("ws", layout.Ports.NginxWebSocket),
            ],
            new PartReadiness(ReadinessKind.Tcp, layout.Ports.NginxWebSocket));
    }

    private static Dictionary<string, IReadOnlyList<string>> Values(TierLayout layout, string folder)
    {
        int connections = OpenFiles.Limit() / 2;
        Dictionary<string, IReadOnlyList<string>> values = new()
        {
            ["user"] = Environment.UserName == "root" ? ["root"] : [],
            ["pid-file"] = [Path.Combine(folder, "nginx.pid")],
            ["log-file"] = ["stderr"],
            ["access-log"] = [Path.Combine(folder, "failures.log")],
            ["open-files"] = [OpenFiles.Limit().ToString(CultureInfo.InvariantCulture)],
            ["connections"] = [connections.ToString(CultureInfo.InvariantCulture)],
            ["mqtt"] = [OwnPrograms.Loopback(layout.Ports.NginxMqtt)],
            ["mqtts"] = [OwnPrograms.Loopback(layout.Ports.NginxMqtts)],
            ["ws"] = [OwnPrograms.Loopback(layout.Ports.NginxWebSocket)],
            ["wss"] = [],
            ["proxies-mqtt"] = Upstreams(layout, 0),
            ["proxies-ws"] = Upstreams(layout, 2),
            ["certificate"] = [layout.Authority.CertificateFile],
            ["certificate-key"] = [layout.Authority.KeyFile],
        };
        foreach (string use in new[] { "body", "proxy", "fastcgi", "uwsgi", "scgi" })
        {
            values["temp-" + use] = [Path.Combine(folder, "temp", use)];
        }

        return values;
    }

    // An upstream needs a server; a tier without proxies gets one where nothing listens.
    private static string[] Upstreams(TierLayout layout, int offset) =>
        layout.Specification.Proxies == 0
            ? [OwnPrograms.Loopback(layout.Ports.Proxy(1) + offset)]
            : [.. Enumerable.Range(1, layout.Specification.Proxies).Select(number => OwnPrograms.Loopback(layout.Ports.Proxy(number) + offset))];
}
