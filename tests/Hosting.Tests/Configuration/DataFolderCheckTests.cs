using System.Diagnostics;
using Trunkline.Hosting.Configuration;

namespace Trunkline.Hosting.Tests.Configuration;

/// <summary>What check says of a data folder, without touching it.</summary>
public sealed class DataFolderCheckTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("trunkline-check-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_folder_that_can_be_made_or_written_is_sound_and_stays_as_it_is()
    {
        Assert.Null(DataFolderCheck.Find("K", _folder));
        Assert.Null(DataFolderCheck.Find("K", Path.Combine(_folder, "a", "b")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    [Fact]
    public void Files_and_folders_below_files_are_told()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        Assert.Equal($"K: names {file}, which is a file. Name a folder.", DataFolderCheck.Find("K", file)!.ToString());
        Assert.Equal($"K: names {file}/x/y, but {file} is a file. Name a folder that can be made.", DataFolderCheck.Find("K", file + "/x/y")!.ToString());
    }

    [Fact]
    public void A_lock_that_is_held_is_told_and_not_disturbed()
    {
        using (new FileStream(Path.Combine(_folder, "lock"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
        {
            Assert.Equal($"K: {_folder} is used by another process. End that one first, or name a folder of its own.", DataFolderCheck.Find("K", _folder)!.ToString());
        }

        Assert.Null(DataFolderCheck.Find("K", _folder));
    }

    [RootFact]
    public void A_folder_without_the_right_to_write_is_told_with_the_user()
    {
        // Root may write everywhere but on a disk that is mounted read-only.
        Run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", _folder);
        try
        {
            Assert.StartsWith($"K: {_folder} may not be written by {Environment.UserName}. Give the folder to that user", DataFolderCheck.Find("K", _folder)!.ToString(), StringComparison.Ordinal);
            Assert.StartsWith($"K: {_folder}/x is not there and cannot be made in {_folder} by {Environment.UserName}.", DataFolderCheck.Find("K", _folder + "/x")!.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            Run("umount", _folder);
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
