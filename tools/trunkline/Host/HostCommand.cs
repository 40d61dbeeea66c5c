using System.CommandLine;

namespace Trunkline.Tool.Host;

/// <summary>./trunkline check host.</summary>
internal static class HostCommand
{
    public static Command Create()
    {
        Option<int> devices = new("--devices") { Description = "Devices that this machine is to carry.", DefaultValueFactory = _ => 100_000 };
        Option<string> root = new("--root") { Description = "Where /proc and /sys are found: a host's, mounted into a container.", DefaultValueFactory = _ => "/" };
        Command host = new("host", "Read this machine's limits and say what to change for many devices. Exit code 1 when something is to be changed.")
        {
            devices, root,
        };
        host.SetAction(parsed =>
        {
            int count = parsed.GetValue(devices);
            if (count < 1)
            {
                throw new ToolException("--devices must be at least 1.", ExitCodes.Usage);
            }

            IReadOnlyList<HostFinding> findings = new HostCheck(new HostFiles(parsed.GetValue(root)!), count).Run();
            foreach (HostFinding finding in findings)
            {
                Console.WriteLine($"{(finding.IsGood ? "good  " : "change")} {finding.Name}: {finding.Value}{(finding.Advice is null ? "" : $"\n         {finding.Advice}")}");
            }

            int changes = findings.Count(finding => !finding.IsGood);
            Console.WriteLine(changes == 0 ? $"Fit for {count} devices, as far as can be read." : $"{changes} of {findings.Count} to be changed for {count} devices; docs/TUNING.md has the reasons.");
            return changes == 0 ? ExitCodes.Success : ExitCodes.Failure;
        });

        // ./trunkline hands `check host` alone on to this program; `check` itself is the proxy's.
        return new Command("check", "Read what this machine allows.") { host };
    }
}
