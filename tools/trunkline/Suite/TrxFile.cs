using System.Xml.Linq;

namespace Trunkline.Tool.Suite;

/// <summary>Reads what a test run came to from the TRX file it wrote.</summary>
internal static class TrxFile
{
    private static readonly XNamespace Trx = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";

    public static SuiteResult Read(string file)
    {
        XElement root = XDocument.Load(file).Root!;
        int passed = 0;
        int skipped = 0;
        List<SuiteFailure> failures = [];
        foreach (XElement test in root.Descendants(Trx + "UnitTestResult"))
        {
            switch ((string?)test.Attribute("outcome"))
            {
                case "Passed":
                    passed++;
                    break;
                case "NotExecuted":
                    skipped++;
                    break;
                default:
                    failures.Add(new SuiteFailure((string?)test.Attribute("testName") ?? "?", Describe(test)));
                    break;
            }
        }

        return new SuiteResult(passed, skipped, failures);
    }

    private static string Describe(XElement test)
    {
        XElement? error = test.Descendants(Trx + "ErrorInfo").FirstOrDefault();
        string? output = (string?)test.Element(Trx + "Output")?.Element(Trx + "StdOut");
        return string.Join('\n', new[]
        {
            (string?)error?.Element(Trx + "Message"),
            (string?)error?.Element(Trx + "StackTrace"),
            output is null ? null : "Output:\n" + output,
        }.Where(text => !string.IsNullOrWhiteSpace(text)));
    }
}
