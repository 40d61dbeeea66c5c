using System.Globalization;
using Trunkline.Tool.Nginx;
using Trunkline.Tool.Parts;
using Trunkline.Tool.Readiness;

namespace Trunkline.Tool.Bench.Peers;

/// <summary>The programs that Trunkline is measured against, each as its users would set it for speed.</summary>
/// <param name="folder">Where their settings and logs stand.</param>
/// <param name="ports">Their ports.</param>
internal sealed class PeerParts(string folder, PeerPorts ports)
{
    /// <summary>Debian's Mosquitto in memory, without limits on what is queued or in flight: it must not drop.</summary>
    public Part Mosquitto()
    {
        string file = Write("mosquitto", "mosquitto.conf", string.Create(CultureInfo.InvariantCulture, $"""
            user {Environment.UserName}
            listener {ports.Mosquitto} 127.0.0.1
            allow_anonymous true
            max_inflight_messages 0
            max_queued_messages 0
            persistence false
            set_tcp_nodelay true
            sys_interval 1
            log_dest stderr
            log_type error
            log_type warning

            """));
        return Make("mosquitto", [Programs.Find("mosquitto", "mosquitto"), "-c", file], ports.Mosquitto, ReadinessKind.Mqtt);
    }

    /// <summary>nginx as a stream proxy before Mosquitto: one worker, which is its cheapest per byte.</summary>
    public Part Nginx()
    {
        int files = OpenFiles.Limit();
        string home = Folder("nginx");
        string file = Write("nginx", "nginx.conf", string.Create(CultureInfo.InvariantCulture, $$"""
            {{(Environment.UserName == "root" ? "user root;" : "")}}
            pid {{home}}/nginx.pid;
            error_log stderr error;
            load_module /usr/lib/nginx/modules/ngx_stream_module.so;
            worker_processes 1;
            worker_rlimit_nofile {{files}};
            events {
                worker_connections {{files - 100}};
                multi_accept on;
            }
            stream {
                tcp_nodelay on;
                proxy_timeout 100m;
                access_log off;
                server {
                    listen 127.0.0.1:{{ports.Nginx}} backlog=4096;
                    proxy_pass 127.0.0.1:{{ports.Mosquitto}};
                }
            }

            """));
        return Make("nginx", [Programs.Find("nginx", "nginx"), "-p", home, "-c", file, "-e", "stderr", "-g", "daemon off;"], ports.Nginx, ReadinessKind.Mqtt);
    }

    /// <summary>haproxy as a TCP proxy before Mosquitto, on one thread.</summary>
    public Part Haproxy()
    {
        string file = Write("haproxy", "haproxy.cfg", string.Create(CultureInfo.InvariantCulture, $"""
            global
                nbthread 1
                maxconn 9000
            defaults
                mode tcp
                timeout connect 5s
                timeout client 1h
                timeout server 1h
            listen mqtt
                bind 127.0.0.1:{ports.Haproxy}
                server mosquitto 127.0.0.1:{ports.Mosquitto}

            """));
        return Make("haproxy", [Programs.Find("haproxy", "haproxy"), "-db", "-f", file], ports.Haproxy, ReadinessKind.Mqtt);
    }

    /// <summary>FlashMQ, whose binary the user names: Debian does not have it.</summary>
    public Part FlashMq(string program)
    {
        string file = Write("flashmq", "flashmq.conf", string.Create(CultureInfo.InvariantCulture, $$"""
            allow_anonymous true
            zero_byte_username_is_anonymous true
            storage_dir {{Folder("flashmq")}}
            log_level warning
            listen {
              protocol mqtt
              inet_protocol ip4
              inet4_bind_address 127.0.0.1
              port {{ports.FlashMq}}
            }

            """));
        return Make("flashmq", [program, "--config-file", file], ports.FlashMq, ReadinessKind.Mqtt);
    }

    private static Part Make(string name, IReadOnlyList<string> command, int port, ReadinessKind readiness, string folder) =>
        new(name, PartKind.Peer, command, folder, [new PartPort("mqtt", port)], new PartReadiness(readiness, port));

    private Part Make(string name, IReadOnlyList<string> command, int port, ReadinessKind readiness) =>
        Make(name, command, port, readiness, Folder(name));

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(folder, name)).FullName;

    private string Write(string name, string file, string text)
    {
        string path = Path.Combine(Folder(name), file);
        File.WriteAllText(path, text);
        return path;
    }
}
