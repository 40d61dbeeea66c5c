using System.Diagnostics;
using Trunkline.Tool;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>A script in node, with the npm modules of tests/System.Tests/npm: mqtt.js as another client nobody of us wrote.</summary>
public static class NodeScript
{
    /// <summary>Folder of the installed modules; ./trunkline test installs them.</summary>
    public static string ModulesFolder => Path.Combine(Repository.Root, "tests", "System.Tests", "npm", "node_modules");

    /// <summary>mqtt.js as one file for a page.</summary>
    public static string BrowserBundle => Path.Combine(ModulesFolder, "mqtt", "dist", "mqtt.min.js");

    /// <summary>Runs a script; what it prints are the process's lines, <c>process.argv[2]</c> its first argument.</summary>
    public static LiveProcess Start(string script, params string[] arguments)
    {
        Assert.True(Directory.Exists(ModulesFolder), "npm modules are not installed: run tools/test-packages.sh, or ./trunkline test.");
        ProcessStartInfo start = new("node", ["-e", script, "script", .. arguments]);
        start.Environment["NODE_PATH"] = ModulesFolder;
        return LiveProcess.Start(start);
    }
}
