namespace Trunkline.Tidy.Tests.Source;

public sealed class SourceTextTests
{
    [Theory]
    [InlineData("a(); // b()", "a();       ")]
    [InlineData("a /* b\nc */ d", "a     \n     d")]
    [InlineData("x = \"a\\\"b\";", "x = \"    \";")]
    [InlineData("x = @\"a\\\";y", "x = @\"  \";y")]
    [InlineData("x = @\"a\"\"b\";y", "x = @\"    \";y")]
    [InlineData("x = 'a';", "x = ' ';")]
    [InlineData("x = '\\'';y", "x = '  ';y")]
    [InlineData("x = $\"a{b.C}d\";", "x = $\" {b.C} \";")]
    [InlineData("x = $\"{{a}}{b[\"c\"]}\";", "x = $\"     {b[\" \"]}\";")]
    [InlineData("x = \"\"\"a\"b\"\"\";y", "x = \"\"\"   \"\"\";y")]
    [InlineData("x = @class;", "x = @class;")]
    public void Keeps_code_and_blanks_the_rest(string text, string code) => Assert.Equal(code, SourceText.CodeOf(text));

    [Fact]
    public void Counts_lines_from_one() => Assert.Equal(3, SourceText.LineOf("a\nb\nc", 4));
}
