using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool.Suite;

namespace Trunkline.SystemTests.Suites;

/// <summary>What ./trunkline test counts, and the line it ends with.</summary>
public sealed class TrxFileTests
{
    private const string Results = """
        <?xml version="1.0" encoding="utf-8"?>
        <TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010">
          <Results>
            <UnitTestResult testName="A.Passes" outcome="Passed" />
            <UnitTestResult testName="A.Is_skipped" outcome="NotExecuted" />
            <UnitTestResult testName="A.Fails" outcome="Failed">
              <Output>
                <StdOut>seed 7</StdOut>
                <ErrorInfo><Message>expected 1</Message><StackTrace>at A.Fails()</StackTrace></ErrorInfo>
              </Output>
            </UnitTestResult>
            <UnitTestResult testName="A.Is_cut_off" outcome="Aborted" />
          </Results>
        </TestRun>
        """;

    [Fact]
    public void Outcomes_are_counted_and_failures_say_why()
    {
        string folder = Tier.NewFolder();
        string file = Path.Combine(folder, "a.trx");
        File.WriteAllText(file, Results);
        SuiteResult result = TrxFile.Read(file);
        Directory.Delete(folder, recursive: true);

        Assert.Equal("1 passed, 2 failed, 1 skipped", result.ClosingLine);
        Assert.False(result.IsGood);
        Assert.Equal("A.Fails", result.Failures[0].Name);
        Assert.Equal("expected 1\nat A.Fails()\nOutput:\nseed 7", result.Failures[0].Message);
        Assert.Equal("A.Is_cut_off", result.Failures[1].Name);
    }

    [Fact]
    public void Results_add_up_and_no_test_is_no_success()
    {
        SuiteResult sum = new SuiteResult(2, 1, []) + new SuiteResult(3, 0, []);
        Assert.Equal("5 passed, 0 failed, 1 skipped", sum.ClosingLine);
        Assert.True(sum.IsGood);
        Assert.False(SuiteResult.Nothing.IsGood);
        Assert.False(new SuiteResult(0, 3, []).IsGood);
        Assert.False((sum + SuiteResult.Failure("X.Tests", "crashed")).IsGood);
    }
}
