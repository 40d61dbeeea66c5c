namespace Trunkline.Tool.Parts;

/// <summary>Finds other people's programs. Debian puts daemons in folders that are not on everybody's PATH.</summary>
internal static class Programs
{
    /// <summary>The full path of a program, or a sentence that says which package has it.</summary>
    public static string Find(string name, string package)
    {
        string path = Environment.GetEnvironmentVariable("PATH") ?? string.Empty;
        foreach (string folder in path.Split(':').Concat(["/usr/local/sbin", "/usr/sbin", "/sbin"]))
        {
            string file = Path.Combine(folder, name);
            if (folder.Length > 0 && File.Exists(file))
            {
                return file;
            }
        }

        throw new ToolException($"{name} is missing: apt-get install {package}.");
    }

    /// <summary>The path of one of our own programs, which ./trunkline builds.</summary>
    public static string Own(string file) =>
        File.Exists(file) ? file : throw new ToolException($"{file} is not built: start the tier through ./trunkline; another build is built in its own folder.");
}
