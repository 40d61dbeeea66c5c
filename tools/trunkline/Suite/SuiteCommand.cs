using System.CommandLine;

namespace Trunkline.Tool.Suite;

internal static class SuiteCommand
{
    public static Command Create() => new("test", "The standing suite.");
}
