namespace Trunkline.Transports;

/// <summary>
/// Which start of the operating system a process belongs to. A process that ends leaves all that it wrote; only between two
/// starts of the system (a power cut, a crash) may what was not synced be missing, in any pieces.
/// </summary>
public static class SystemStart
{
    private const string File = "/proc/sys/kernel/random/boot_id";

    /// <summary>Another one after each start of the system; empty where that is not to be had.</summary>
    public static string ReadId() => System.IO.File.Exists(File) ? System.IO.File.ReadAllText(File).Trim() : "";
}
