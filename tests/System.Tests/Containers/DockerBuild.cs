using System.Diagnostics;
using System.Text.RegularExpressions;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;

namespace Trunkline.SystemTests.Containers;

/// <summary>
/// Runs a Dockerfile's COPY and RUN lines without Docker: each stage is a folder, and an absolute path of the container
/// is that path below its stage's folder. What an image brings along is not looked at: it is this machine's. So are
/// Debian's packages: a line that installs some is taken as run where this machine has them, for <c>./trunkline test</c>
/// has installed them by the very command.
/// </summary>
public sealed partial class DockerBuild : IDisposable
{
    private static readonly TimeSpan RunDeadline = TimeSpan.FromMinutes(5);
    private readonly string _root = Directory.CreateTempSubdirectory("trunkline-docker-").FullName;
    private readonly Dictionary<string, string> _stageFolders = [];
    private string _stage = string.Empty;
    private string _workFolder = "/";

    private DockerBuild(IReadOnlyList<DockerStage> stages) => Stages = stages;

    public IReadOnlyList<DockerStage> Stages { get; }

    /// <summary>The command of the last stage's ENTRYPOINT, as it runs here.</summary>
    public IReadOnlyList<string> EntryPoint => [.. Stages[^1].Last("ENTRYPOINT")!.Words.Select(Here)];

    /// <summary>The last stage's health check, as it runs here.</summary>
    public IReadOnlyList<string> HealthCheck
    {
        get
        {
            string text = Stages[^1].Last("HEALTHCHECK")!.Text;
            return [.. new DockerInstruction("CMD", text[(text.IndexOf("CMD ", StringComparison.Ordinal) + 4)..]).Words.Select(Here)];
        }
    }

    /// <summary>The user that the last stage's command runs as.</summary>
    public string? User => Stages[^1].Last("USER")?.Text;

    /// <summary>A path of the last stage's image, where it lies here.</summary>
    public string PathOf(string path) => Here(path);

    /// <summary>Runs every COPY and RUN, in order.</summary>
    public static async Task<DockerBuild> RunAsync(string dockerfile)
    {
        DockerBuild build = new(Dockerfile.Parse(await File.ReadAllTextAsync(Path.Combine(Repository.Root, dockerfile))));
        try
        {
            foreach (DockerStage stage in build.Stages)
            {
                await build.RunStageAsync(stage);
            }

            return build;
        }
        catch
        {
            build.Dispose();
            throw;
        }
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private async Task RunStageAsync(DockerStage stage)
    {
        _stage = Directory.CreateDirectory(Path.Combine(_root, "stage-" + _stageFolders.Count)).FullName;
        _stageFolders[stage.Name ?? _stage] = _stage;
        _workFolder = "/";
        foreach (DockerInstruction instruction in stage.Instructions)
        {
            switch (instruction.Name)
            {
                case "WORKDIR":
                    _workFolder = instruction.Text;
                    Directory.CreateDirectory(Here(_workFolder));
                    break;
                case "COPY":
                    Copy(instruction.Text);
                    break;
                case "RUN":
                    await RunCommandAsync(instruction.Text);
                    break;
                case "FROM" or "USER" or "EXPOSE" or "HEALTHCHECK" or "ENTRYPOINT":
                    break;
                default:
                    Assert.Fail($"This test does not know {instruction.Name}.");
                    break;
            }
        }
    }

    private async Task RunCommandAsync(string command)
    {
        if (Installation().Match(command) is { Success: true } installation)
        {
            foreach (string package in installation.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                CommandResult state = await CommandRunner.RunAsync("dpkg-query", "-W", "-f", "${Status}", package);
                Assert.Equal("install ok installed", state.EnsureSuccess().Output.Trim());
            }

            Directory.CreateDirectory(Here("/var/log/nginx"));
            return;
        }

        string here = AbsolutePath().Replace(command, match => Here(match.Value));
        if (!Environment.IsPrivilegedProcess)
        {
            // The folder then belongs to who runs the test, and so does the process that writes to it.
            here = ChangeOfOwner().Replace(here, string.Empty);
        }

        CommandResult result = await CommandRunner.RunAsync(RunDeadline, Prepare, "/bin/sh", "-c", here);
        result.EnsureSuccess();

        void Prepare(ProcessStartInfo start)
        {
            start.WorkingDirectory = Here(_workFolder);
            start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        }
    }

    private void Copy(string text)
    {
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string? from = words[0].StartsWith("--from=", StringComparison.Ordinal) ? words[0]["--from=".Length..] : null;
        string source = words[^2];
        string target = Here(Path.Combine(_workFolder, words[^1]));
        string sourceHere = from is null ? Path.Combine(Repository.Root, source) : _stageFolders[from] + source;
        if (File.Exists(sourceHere))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(sourceHere, target, overwrite: true);
            return;
        }

        DockerIgnore ignore = from is null ? DockerIgnore.Load(Repository.Root) : DockerIgnore.Nothing;
        CopyFolder(new DirectoryInfo(sourceHere), target, string.Empty, ignore);
    }

    private static void CopyFolder(DirectoryInfo source, string target, string relative, DockerIgnore ignore)
    {
        Directory.CreateDirectory(target);
        foreach (FileSystemInfo entry in source.EnumerateFileSystemInfos())
        {
            string path = relative.Length == 0 ? entry.Name : relative + "/" + entry.Name;
            if (ignore.Ignores(path))
            {
                continue;
            }

            if (entry is DirectoryInfo folder)
            {
                CopyFolder(folder, Path.Combine(target, entry.Name), path, ignore);
            }
            else
            {
                File.Copy(entry.FullName, Path.Combine(target, entry.Name), overwrite: true);
            }
        }
    }

    private string Here(string path) => path.StartsWith('/') ? Path.TrimEndingDirectorySeparator(_stage + path) : path;

    [GeneratedRegex(@" && chown \d+ \S+")]
    private static partial Regex ChangeOfOwner();

    [GeneratedRegex(@"(?<=\s)/(?!dev/)[\w/.-]+")]
    private static partial Regex AbsolutePath();

    [GeneratedRegex("^apt-get update && apt-get install -y --no-install-recommends ([^&]+) && rm -rf /var/lib/apt/lists/[*]$")]
    private static partial Regex Installation();
}

/// <summary>The two kinds of lines that our .dockerignore has: a name at the top, and **/name anywhere.</summary>
public sealed class DockerIgnore
{
    private readonly HashSet<string> _paths;
    private readonly HashSet<string> _names;

    private DockerIgnore(IEnumerable<string> lines)
    {
        string[] all = [.. lines.Where(line => line.Length > 0 && !line.StartsWith('#'))];
        _names = [.. all.Where(line => line.StartsWith("**/", StringComparison.Ordinal)).Select(line => line["**/".Length..])];
        _paths = [.. all.Where(line => !line.Contains('*', StringComparison.Ordinal))];
    }

    public static DockerIgnore Nothing { get; } = new([]);

    public static DockerIgnore Load(string folder) => new(File.ReadLines(Path.Combine(folder, ".dockerignore")));

    public bool Ignores(string path) => _paths.Contains(path) || _names.Contains(Path.GetFileName(path));
}
