using Microsoft.Extensions.Logging;
using Trunkline.Hosting;
using Trunkline.Hosting.Configuration;
using Trunkline.Hosting.Management;
using Trunkline.Proxy;

// One process: read the options, open the management port, then run one node after the other until asked to stop.
if (args is ["--version"] or ["version"])
{
    Console.WriteLine(ProxyVersion.Text);
    return 0;
}

bool isCheck = args is ["check", ..];
(ProxyOptions options, IReadOnlyList<ConfigurationError> errors) = ProxyOptionsReader.Read(isCheck ? args[1..] : args);
if (errors.Count > 0)
{
    foreach (ConfigurationError error in errors)
    {
        Console.Error.WriteLine(error);
    }

    Console.Error.WriteLine($"{errors.Count} error{(errors.Count == 1 ? "" : "s")} in the configuration; see docs/CONFIGURATION.md.");
    return 2;
}

if (isCheck)
{
    Console.WriteLine("The configuration is sound.");
    return 0;
}

using ILoggerFactory loggers = options.Logging.CreateFactory();
return await new ProxyProcess(options, loggers).RunAsync();
