namespace Trunkline.Directory.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void Defaults_are_valid() => Assert.Empty(new DirectoryOptions { Endpoints = ["redis:6379", "[::1]:6380"] }.Validate());

    [Fact]
    public void Every_error_is_told_with_path_and_fix()
    {
        var wrong = new DirectoryOptions
        {
            Endpoints = ["ok:1", "redis://user:secret@host:6379", "host", "host:0"],
            User = "acl",
            Prefix = "a{b}",
            Database = -1,
            TlsCaFile = "/nowhere/ca.pem",
            LeaseMs = 1_000,
            LeaseRaiseIntervalMs = 900,
            OperationDeadlineMs = 0,
        };
        IReadOnlyList<DirectoryOptionsError> errors = wrong.Validate();
        Assert.Equal(
            [
                "Directory:Endpoints:1", "Directory:Endpoints:2", "Directory:Endpoints:3", "Directory:User", "Directory:Prefix", "Directory:Database",
                "Directory:TlsCaFile", "Directory:Tls", "Directory:OperationDeadlineMs", "Directory:LeaseRaiseIntervalMs", "Directory:ReconnectMaxMs",
            ],
            errors.Select(e => e.Path));
        Assert.All(errors, e => Assert.True(e.Problem.EndsWith('.') && e.Fix.EndsWith('.')));
        Assert.Contains("Password", errors.Single(e => e.Path == "Directory:User").Fix, StringComparison.Ordinal);
    }
}
