using Microsoft.Extensions.Configuration;
using Trunkline.Hosting.Configuration;
using Trunkline.Hosting.Tests.Support;

namespace Trunkline.Hosting.Tests.Configuration;

public sealed class OptionsBinderTests
{
    private enum Colour
    {
        Red,
        DarkBlue,
    }

    [Fact]
    public void Every_type_is_read()
    {
        (Sample sample, string[] errors) = Bind(
            ("Text", "a b"), ("Maybe", ""), ("Flag", "TRUE"), ("Number", "-7"), ("Small", "65535"), ("Large", "4294967295"),
            ("Huge", "9223372036854775807"), ("Ratio", "0.25"), ("Colour", "dark-blue"), ("WaitMs", "1500"),
            ("Inner:Name", "inside"), ("Names:0", "x"), ("Names:1", "y"), ("Numbers", "1, 2,3"), ("Parts:0:Name", "p0"), ("Parts:1:Name", "p1"));

        Assert.Empty(errors);
        Assert.Equal("a b", sample.Text);
        Assert.Equal("", sample.Maybe);
        Assert.True(sample.Flag);
        Assert.Equal((-7, (ushort)65535, uint.MaxValue, long.MaxValue), (sample.Number, sample.Small, sample.Large, sample.Huge));
        Assert.Equal(0.25, sample.Ratio);
        Assert.Equal(Colour.DarkBlue, sample.Colour);
        Assert.Equal(TimeSpan.FromSeconds(1.5), sample.Wait);
        Assert.Equal("inside", sample.Inner.Name);
        Assert.Equal(["x", "y"], sample.Names);
        Assert.Equal([1, 2, 3], sample.Numbers);
        Assert.Equal(["p0", "p1"], sample.Parts.Select(part => part.Name));
    }

    [Fact]
    public void What_is_not_set_keeps_its_default()
    {
        (Sample sample, string[] errors) = Bind();

        Assert.Empty(errors);
        Assert.Equal(new Sample().Wait, sample.Wait);
        Assert.Equal(["default"], sample.Names);
    }

    [Fact]
    public void Items_come_in_the_order_of_their_numbers()
    {
        (Sample sample, _) = Bind(Enumerable.Range(0, 12).Reverse().Select(n => ($"Names:{n}", (string?)$"n{n}")).ToArray());

        Assert.Equal(Enumerable.Range(0, 12).Select(n => $"n{n}"), sample.Names);
    }

    [Fact]
    public void An_empty_list_empties_the_default()
    {
        (Sample sample, string[] errors) = Bind(("Names", ""));

        Assert.Empty(errors);
        Assert.Empty(sample.Names);
    }

    [Theory]
    [InlineData("Flag", "yes", "Flag: \"yes\" does not fit. Give it true or false.")]
    [InlineData("Number", "1.5", "Number: \"1.5\" does not fit. Give it a whole number.")]
    [InlineData("Number", "", "Number: \"\" does not fit. Give it a whole number.")]
    [InlineData("Number", "2147483648", "Number: \"2147483648\" does not fit. Give it a whole number.")]
    [InlineData("Small", "65536", "Small: \"65536\" does not fit. Give it a whole number.")]
    [InlineData("Small", "-1", "Small: \"-1\" does not fit. Give it a whole number.")]
    [InlineData("Huge", "99999999999999999999", "Huge: \"99999999999999999999\" does not fit. Give it a whole number.")]
    [InlineData("Colour", "green", "Colour: \"green\" does not fit. Give it one of Red, DarkBlue.")]
    [InlineData("Colour", "Red,DarkBlue", "Colour: \"Red,DarkBlue\" does not fit. Give it one of Red, DarkBlue.")]
    [InlineData("WaitMs", "00:00:01", "WaitMs: \"00:00:01\" does not fit. Give it a whole number of milliseconds.")]
    [InlineData("WaitMs", "-1", "WaitMs: \"-1\" does not fit. Give it a whole number of milliseconds.")]
    [InlineData("WaitMs", "9223372036854775807", "WaitMs: \"9223372036854775807\" does not fit. Give it a whole number of milliseconds.")]
    [InlineData("Wait", "1500", "Wait: is not a known key. Did you mean WaitMs?")]
    [InlineData("Txet", "a", "Txet: is not a known key. Did you mean Text?")]
    [InlineData("Inner:Nmae", "a", "Inner:Nmae: is not a known key. Did you mean Name?")]
    [InlineData("Parts:1:Nam", "a", "Parts:1:Nam: is not a known key. Did you mean Name?")]
    [InlineData("Inner:Telephone", "a", "Inner:Telephone: is not a known key. Known here: Name.")]
    [InlineData("Number:Deep", "1", "Number: is a single value, not a section. Give it a whole number.")]
    [InlineData("Inner", "text", "Inner: is a section, not a single value. Known there: Name.")]
    [InlineData("Parts", "a,b", "Parts: is a list of sections, not a text. Write Parts:0:..., Parts:1:...")]
    [InlineData("Names:first", "a", "Names:first: is not an item of a list. Number the items: Names:0, Names:1, ...")]
    [InlineData("Numbers:0", "x", "Numbers:0: \"x\" does not fit. Give it a whole number.")]
    [InlineData("Numbers", "1,x", "Numbers: \"x\" does not fit. Give it a whole number, separated by commas.")]
    [InlineData("Text", null, "Text: has no value. Give it a text.")]
    public void An_error_names_path_and_fix(string key, string? value, string error) =>
        Assert.Equal([error], Bind((key, value)).Errors);

    [Fact]
    public void All_errors_come_at_once_and_the_rest_is_bound()
    {
        (Sample sample, string[] errors) = Bind(("Number", "x"), ("Flag", "y"), ("Nonsense", "z"), ("Text", "kept"));

        Assert.Equal(3, errors.Length);
        Assert.Equal("kept", sample.Text);
    }

    [Fact]
    public void Keys_are_read_in_any_case() => Assert.Equal("a", Bind(("tEXT", "a")).Sample.Text);

    [Theory]
    [InlineData("Listners", "Listeners")]
    [InlineData("MQTT", "Mqtt")]
    [InlineData("Xyz", null)]
    public void The_nearest_name_is_found(string typed, string? nearest) =>
        Assert.Equal(nearest, NearestName.Of(typed, ["Listeners", "Mqtt", "Management", "Groups"]));

    private static (Sample Sample, string[] Errors) Bind(params (string Key, string? Value)[] settings)
    {
        var binder = new OptionsBinder();
        Sample sample = binder.Bind<Sample>(SettingsOf.Pairs(settings));
        return (sample, [.. binder.Errors.Select(error => error.ToString())]);
    }

    private sealed record Sample
    {
        public string Text { get; init; } = "default";

        public string? Maybe { get; init; }

        public bool Flag { get; init; }

        public int Number { get; init; } = 3;

        public ushort Small { get; init; }

        public uint Large { get; init; }

        public long? Huge { get; init; }

        public double Ratio { get; init; }

        public Colour Colour { get; init; }

        public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(9);

        public Part Inner { get; init; } = new();

        public IReadOnlyList<string> Names { get; init; } = ["default"];

        public IReadOnlyList<int> Numbers { get; init; } = [];

        public IReadOnlyList<Part> Parts { get; init; } = [];

        public string Derived => Text;
    }

    private sealed record Part
    {
        public string Name { get; init; } = "";
    }
}
