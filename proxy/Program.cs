using Microsoft.Extensions.Logging;
using Trunkline.Hosting.Configuration;
using Trunkline.Proxy;

// One process: read the options, open the management port, then run one node after the other until asked to stop.
const string help = """
    Usage: ./trunkline up    [--config FILE] [--mqtt-port PORT] [--ws-port PORT] [--listen ADDRESS]
                             [--management-port PORT] [--groups N] [--data DIR] [--Section:Key VALUE ...]
           ./trunkline check with the same options: report every error of the configuration, then exit

    The program itself, as containers start it, is trunkline-proxy [check] with the same options.

      --config FILE           settings, read after appsettings.json
      --mqtt-port PORT        MQTT over TCP (1883)
      --ws-port PORT          MQTT over WebSocket at /mqtt (8083)
      --listen ADDRESS        where both listen (127.0.0.1); nobody is asked for a password
      --management-port PORT  health, metrics, sessions (8080)
      --groups N              embedded groups (2)
      --data DIR              keep the logs of embedded groups and the sessions in DIR; without it in memory

    docs/CONFIGURATION.md has every key.
    """;

return await ProgramStart.RunAsync(args, typeof(ProxyNode).Assembly, help, ProxyOptionsReader.Read, DataFolders.Look, async options =>
{
    using ILoggerFactory loggers = options.Logging.CreateFactory();
    return await new ProxyProcess(options, loggers).RunAsync();
});
