using Trunkline.Directory;
using Trunkline.Links;

namespace Trunkline.Proxy;

/// <summary>The logs of the foreign groups that have one, in the directory's Redis.</summary>
internal sealed class ForeignLogs
{
    private readonly Dictionary<int, ForeignLog> _logs = [];

    public ForeignLogs(ProxyOptions options, DirectoryEnvironment environment)
    {
        var meters = new StreamMeters(environment.Meter);
        for (int n = 0; n < options.Groups.Count; n++)
        {
            GroupOptions group = options.Groups[n];
            if (group.Kind == GroupKind.Foreign && group.Log == GroupLogKind.Redis)
            {
                _logs.Add(n, new ForeignLog(new GroupStream(group.Name, options.Streams, options.Directory, environment, meters)));
            }
        }
    }

    /// <summary>The log of a group, or null.</summary>
    public ForeignLog? Of(int group) => _logs.GetValueOrDefault(group);

    /// <summary>Begins to connect.</summary>
    public void Start()
    {
        foreach (ForeignLog log in _logs.Values)
        {
            log.Stream.Start();
        }
    }

    /// <summary>Closes the connections. After the links, which append until they have finished.</summary>
    public async Task StopAsync()
    {
        foreach (ForeignLog log in _logs.Values)
        {
            await log.Stream.DisposeAsync();
        }
    }
}
