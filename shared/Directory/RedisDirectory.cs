namespace Trunkline.Directory;

/// <summary>The directory in Redis. Connecting begins with <see cref="NodeDirectory.JoinAsync"/>.</summary>
public sealed class RedisDirectory : NodeDirectory
{
    /// <summary>The view of one node; <paramref name="options"/> must be valid and name endpoints.</summary>
    public RedisDirectory(NodeInfo self, DirectoryOptions options, DirectoryEnvironment environment)
        : base(self, options, environment, meters => new RedisStore(options, environment, meters))
    {
    }
}
