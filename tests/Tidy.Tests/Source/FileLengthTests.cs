using Xunit.Abstractions;

namespace Trunkline.Tidy.Tests.Source;

public sealed class FileLengthTests(ITestOutputHelper output)
{
    private const int Aim = 200;
    private const int Limit = 400;

    [Fact]
    public void No_file_is_longer_than_the_limit()
    {
        var lengths = Repository.Files(pattern: "*.cs")
            .Select(file => (File: file, Lines: File.ReadLines(Repository.FullPath(file)).Count()))
            .Where(file => file.Lines > Aim)
            .OrderByDescending(file => file.Lines)
            .ToList();
        foreach (var (file, lines) in lengths)
        {
            output.WriteLine($"{file} has {lines} lines; aim below {Aim}.");
        }

        Finding.AssertNone(lengths.Where(file => file.Lines > Limit).Select(file =>
            new Finding(file.File, Limit + 1, $"The file has {file.Lines} lines, the limit is {Limit}: split it by verb or noun.")));
    }
}
