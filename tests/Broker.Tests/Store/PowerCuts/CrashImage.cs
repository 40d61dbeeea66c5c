namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>
/// Files as a power cut at some moment may have left them, by the little that POSIX promises and every file system keeps:
/// what a returned sync covered is there. Of all else each piece of a file is there as of any write since, or not; the file is as long as of
/// any of them, with zeros where nothing arrived; each name is made, changed and removed or not, whatever became of others.
/// </summary>
internal static class CrashImage
{
    private const int SectorBytes = 512;
    private const int PageBytes = 4096;

    /// <summary>As a process that is killed leaves them: everything that was begun is there.</summary>
    public static void WriteKilled(DiskRecording recording, long moment, string target) =>
        Write(recording.Root, moment, target, static () => true, static states => states[^1]);

    /// <summary>As a power cut may leave them.</summary>
    public static void WriteCut(DiskRecording recording, long moment, Random random, string target)
    {
        // A coin of every bias: nearly everything lost, nearly everything kept, and what is between.
        double kept = random.Next(4) switch { 0 => 0, 1 => 1, _ => random.NextDouble() };
        int piece = random.Next(2) == 0 ? SectorBytes : PageBytes;
        Write(recording.Root, moment, target, () => random.NextDouble() < kept, states => Torn(states, piece, random));
    }

    private static void Write(RecordedFolder folder, long moment, string target, Func<bool> mayKeep, Func<List<byte[]>, byte[]> choose)
    {
        foreach ((string name, RecordedNode node) in folder.NamesAt(moment, mayKeep).OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            string path = Path.Combine(target, name);
            if (node is RecordedFile file)
            {
                File.WriteAllBytes(path, choose(file.StatesAt(moment)));
            }
            else
            {
                Directory.CreateDirectory(path);
                Write((RecordedFolder)node, moment, path, mayKeep, choose);
            }
        }
    }

    /// <summary>Each piece as of one of the states, the length as of one of them, or between two.</summary>
    private static byte[] Torn(List<byte[]> states, int piece, Random random)
    {
        if (states.Count == 1)
        {
            return states[0];
        }

        int shortest = states.Min(state => state.Length);
        int longest = states.Max(state => state.Length);
        int length = random.Next(3) switch
        {
            0 => states[random.Next(states.Count)].Length,
            1 => int.Min(longest, (random.Next(shortest, longest + 1) + piece - 1) / piece * piece),
            _ => longest,
        };
        byte[] torn = new byte[length];
        int bias = random.Next(3);
        for (int offset = 0; offset < length; offset += piece)
        {
            byte[] state = states[bias switch { 0 => random.Next(states.Count), 1 => random.Next(2) * (states.Count - 1), _ => random.Next(8) > 0 ? states.Count - 1 : 0 }];
            int bytes = int.Min(int.Min(piece, length - offset), state.Length - offset);
            if (bytes > 0)
            {
                state.AsSpan(offset, bytes).CopyTo(torn.AsSpan(offset));
            }
        }

        return torn;
    }
}
