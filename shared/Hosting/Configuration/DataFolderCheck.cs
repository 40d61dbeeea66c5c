using System.Runtime.InteropServices;

namespace Trunkline.Hosting.Configuration;

/// <summary>Looks whether a folder can keep a program's files, and changes nothing there: what <c>check</c> asks of the machine.</summary>
public static partial class DataFolderCheck
{
    private const int WriteAndEnter = 2 | 1; // W_OK | X_OK

    // How an open fails that another process' lock forbids, the low 16 bits: EWOULDBLOCK of Linux and of BSD, ERROR_SHARING_VIOLATION.
    private static readonly int[] LockedErrors = [11, 35, 32];

    /// <summary>What is wrong with the folder, or null. It need not be there if it can be made.</summary>
    /// <param name="key">The setting that names it, as <c>Section:Key</c>.</param>
    /// <param name="folder">The folder.</param>
    public static ConfigurationError? Find(string key, string folder)
    {
        string path = Path.GetFullPath(folder);
        if (File.Exists(path))
        {
            return new ConfigurationError(key, $"names {path}, which is a file.", "Name a folder.");
        }

        string? nearest = path;
        while (!Directory.Exists(nearest) && !File.Exists(nearest) && Path.GetDirectoryName(nearest) is { } above)
        {
            nearest = above;
        }

        if (File.Exists(nearest))
        {
            return new ConfigurationError(key, $"names {path}, but {nearest} is a file.", "Name a folder that can be made.");
        }

        if (!MayWrite(nearest))
        {
            string what = nearest == path ? $"{path} may not be written" : $"{path} is not there and cannot be made in {nearest}";
            return new ConfigurationError(
                key, $"{what} by {Environment.UserName}.", "Give the folder to that user (chown), or name another one; its disk must not be mounted read-only.");
        }

        return IsHeld(path) ? new ConfigurationError(key, $"{path} is used by another process.", "End that one first, or name a folder of its own.") : null;
    }

    private static bool MayWrite(string folder) => !OperatingSystem.IsLinux() || Access(folder, WriteAndEnter) == 0;

    // A program that uses the folder holds the lock in it until it ends.
    private static bool IsHeld(string folder)
    {
        try
        {
            using var shared = new FileStream(Path.Combine(folder, "lock"), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            return false;
        }
        catch (IOException exception) when (LockedErrors.Contains(exception.HResult & 0xFFFF))
        {
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);
}
