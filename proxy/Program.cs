using Microsoft.Extensions.Logging;
using Trunkline.Hosting.Configuration;
using Trunkline.Proxy;

// One process: read the options, open the management port, then run one node after the other until asked to stop.
if (args is ["--version"] or ["version"])
{
    Console.WriteLine(ProgramVersion.Of(typeof(ProxyNode).Assembly));
    return 0;
}

bool isCheck = args is ["check", ..];
(ProxyOptions options, IReadOnlyList<ConfigurationError> errors) = ProxyOptionsReader.Read(isCheck ? args[1..] : args);
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
return await new ProxyProcess(options, loggers).RunAsync();
