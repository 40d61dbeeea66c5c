using Microsoft.Extensions.Logging;
using Trunkline.BrokerProcess;
using Trunkline.Hosting.Configuration;

// One process: one broker group on one loop, its listeners and its management port.
const string help = """
    Usage: trunkline-broker [check] [--config FILE] [--group NAME] [--data DIR]
                            [--management-port PORT] [--Section:Key VALUE ...]

      check                   report every error of the configuration, then exit
      --config FILE           settings, read after appsettings.json
      --group NAME            the group this broker is (group-0)
      --data DIR              keep the log in DIR/NAME; without it in memory
      --management-port PORT  health, metrics, statistics (8081)

    docs/CONFIGURATION.md has every key.
    """;

return await ProgramStart.RunAsync(args, typeof(BrokerProgram).Assembly, help, BrokerOptionsReader.Read, BrokerOptionsReader.Look, async options =>
{
    using ILoggerFactory loggers = options.Logging.CreateFactory();
    return await new BrokerProgram(options, loggers).RunAsync();
});
