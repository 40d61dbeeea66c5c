using System.Text.RegularExpressions;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;
using Trunkline.Tool.Nginx;

namespace Trunkline.SystemTests.Operations;

/// <summary>nginx/nginx.conf: Debian's nginx takes it, and what its numbers promise.</summary>
public sealed partial class NginxConfigurationTests
{
    [ProgramsFact("nginx")]
    public async Task Debians_nginx_accepts_the_configuration_as_a_tier_renders_it()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 0, Groups = 0, Redis = "none", Nginx = true });
        string folder = Path.Combine(tier.Folder, "nginx");
        CommandResult result = await CommandRunner.RunAsync("nginx", "-t", "-p", folder, "-c", Path.Combine(folder, "nginx.conf"));
        result.EnsureSuccess();
        Assert.DoesNotContain("[warn]", result.Errors, StringComparison.Ordinal);
    }

    [ProgramsFact("nginx")]
    public async Task Debians_nginx_accepts_the_configuration_as_it_stands()
    {
        // Only names of hosts and certificates are a site's own; everything else is taken as written.
        string folder = Tier.NewFolder();
        Tool.Authority.TestAuthorityFiles authority = Tool.Authority.TestAuthority.Create(folder, TimeProvider.System);
        string text = File.ReadAllText(Repository.NginxConfiguration)
            .Replace("/etc/trunkline/server.pem", authority.CertificateFile, StringComparison.Ordinal)
            .Replace("/etc/trunkline/server.key", authority.KeyFile, StringComparison.Ordinal)
            .Replace("/run/nginx.pid", Path.Combine(folder, "nginx.pid"), StringComparison.Ordinal)
            .Replace("/var/log/nginx", folder, StringComparison.Ordinal);
        text = ProxyHost().Replace(text, "127.0.0.1:");
        string file = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(file, text);

        CommandResult result = await CommandRunner.RunAsync("nginx", "-t", "-c", file);
        result.EnsureSuccess();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Idle_connections_outlive_the_longest_keep_alive_with_its_half_again()
    {
        const int keepAliveCapSeconds = 3600;
        string text = File.ReadAllText(Repository.NginxConfiguration);
        MatchCollection timeouts = IdleTimeout().Matches(text);
        Assert.Equal(3, timeouts.Count);
        Assert.All(timeouts, match => Assert.True(int.Parse(match.Groups[1].Value, null) * 60 > 1.5 * keepAliveCapSeconds, match.Value));
    }

    [Fact]
    public void A_marker_takes_one_value_or_many_or_none()
    {
        const string text = "a 1;\n    listen 1883 backlog=1; # site: mqtt\n server x y; # site: list\n server z y; # site: list\n gone 1; # site: none\n";
        string rendered = NginxTemplate.Render(text, new Dictionary<string, IReadOnlyList<string>>
        {
            ["mqtt"] = ["127.0.0.1:5"],
            ["list"] = ["p", "q", "r"],
            ["none"] = [],
        });
        Assert.Equal("a 1;\n    listen 127.0.0.1:5 backlog=1;\n server p y;\n server q y;\n server r y;\n", rendered);
    }

    [Fact]
    public void A_marker_without_value_and_a_value_without_marker_are_errors()
    {
        Assert.Throws<InvalidOperationException>(() => NginxTemplate.Render("listen 1; # site: mqtt", new Dictionary<string, IReadOnlyList<string>>()));
        Assert.Throws<InvalidOperationException>(() => NginxTemplate.Render("listen 1;", new Dictionary<string, IReadOnlyList<string>> { ["mqtt"] = ["1"] }));
    }

    [GeneratedRegex(@"\bproxy-\d:")]
    private static partial Regex ProxyHost();

    [GeneratedRegex(@"^\s*proxy_(?:timeout|read_timeout|send_timeout) (\d+)m;", RegexOptions.Multiline)]
    private static partial Regex IdleTimeout();
}
