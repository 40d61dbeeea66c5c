using Microsoft.Extensions.Configuration;

namespace Trunkline.Hosting.Tests.Support;

/// <summary>Configuration from pairs.</summary>
internal static class SettingsOf
{
    public static IConfiguration Pairs(params (string Key, string? Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value))).Build();
}
