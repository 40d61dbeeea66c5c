using Microsoft.Extensions.Logging;
using Trunkline.BrokerProcess;
using Trunkline.Hosting.Configuration;

// One process: one broker group on one loop, its listeners and its management port.
if (args is ["--version"] or ["version"])
{
    Console.WriteLine(ProgramVersion.Of(typeof(BrokerProgram).Assembly));
    return 0;
}

bool isCheck = args is ["check", ..];
(BrokerProcessOptions options, IReadOnlyList<ConfigurationError> errors) = BrokerOptionsReader.Read(isCheck ? args[1..] : args);
if (ConfigurationError.Report(errors, Console.Error))
{
    return 2;
}

if (isCheck)
{
    Console.WriteLine("The configuration is sound.");
    return 0;
}

using ILoggerFactory loggers = options.Logging.CreateFactory();
return await new BrokerProgram(options, loggers).RunAsync();
