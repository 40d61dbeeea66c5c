using Trunkline.Hosting.Configuration;
using Trunkline.Links;

namespace Trunkline.Proxy;

/// <summary>The folders that a proxy with these options would use.</summary>
internal static class DataFolders
{
    /// <summary>What is wrong with them: one error a setting, for the folders of one setting mostly have one fault.</summary>
    public static IEnumerable<ConfigurationError> Look(ProxyOptions options)
    {
        string data = options.Broker.DataDirectory;
        ConfigurationError? ofGroups = options.Broker.UsesFiles()
            ? options.Groups.Where(group => group.Kind == GroupKind.Embedded)
                .Select(group => DataFolderCheck.Find("Broker:DataDirectory", Path.Combine(data, group.Name)))
                .Prepend(DataFolderCheck.Find("Broker:DataDirectory", data))
                .FirstOrDefault(error => error is not null)
            : null;
        ConfigurationError? ofSessions = options.Directory.DataDirectory.Length > 0
            ? DataFolderCheck.Find("Directory:DataDirectory", options.Directory.DataDirectory)
            : null;
        return new[] { ofGroups, ofSessions }.OfType<ConfigurationError>();
    }
}
