namespace Trunkline.Testing;

/// <summary>A test that only root can run. Otherwise it is skipped, and says so.</summary>
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Skip = "It mounts a file system, which only root may.";
        }
    }
}
