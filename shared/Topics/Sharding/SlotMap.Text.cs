using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Trunkline.Topics;

// The form kept in Redis, in the retained message of each group and on each node's disk: ASCII, runs of slots as
// count x owner, in order. Two groups, even:
//
//     slots/1 00000000deadbeef 7 2 8192x0 8192x1
//             generation       |  \ groups
//                               version
//
// One form a map: runs are as long as they can be, numbers have no leading zeros. At worst 16,384 runs of one slot.
public sealed partial class SlotMap
{
    private const string Format = "slots/1";
    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdef"u8);

    /// <summary>No lawful text is longer, in bytes.</summary>
    public const int MaximumTextBytes = 128 * 1024;

    /// <summary>The text form.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{Format} {Generation:x16} {Version} {GroupCount}");
        int start = 0;
        for (int slot = 1; slot <= _owners.Length; slot++)
        {
            if (slot == _owners.Length || _owners[slot] != _owners[start])
            {
                text.Append(CultureInfo.InvariantCulture, $" {slot - start}x{_owners[start]}");
                start = slot;
            }
        }
        return text.ToString();
    }

    /// <summary>The text form as bytes.</summary>
    public byte[] ToUtf8() => Encoding.ASCII.GetBytes(ToString());

    /// <summary>Reads the text form; null and false for anything else, since it comes from other processes.</summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out SlotMap? map)
    {
        map = null;
        if (utf8.Length > MaximumTextBytes
            || !NextWord(ref utf8).SequenceEqual("slots/1"u8)
            || !TryReadGeneration(NextWord(ref utf8), out ulong generation)
            || !TryReadNumber(NextWord(ref utf8), out ulong version)
            || !TryReadNumber(NextWord(ref utf8), out ulong groups)
            || groups is < 1 or > MaximumGroups)
        {
            return false;
        }
        byte[] owners = new byte[Slots.Count];
        int filled = 0;
        while (!utf8.IsEmpty)
        {
            ReadOnlySpan<byte> run = NextWord(ref utf8);
            int times = run.IndexOf((byte)'x');
            if (times < 0
                || !TryReadNumber(run[..times], out ulong length) || length < 1 || length > (ulong)(owners.Length - filled)
                || !TryReadNumber(run[(times + 1)..], out ulong owner) || owner >= groups
                || (filled > 0 && owners[filled - 1] == owner))
            {
                return false;
            }
            owners.AsSpan(filled, (int)length).Fill((byte)owner);
            filled += (int)length;
        }
        if (filled != owners.Length)
        {
            return false;
        }
        map = new SlotMap(owners, (int)groups, version, generation);
        return true;
    }

    private static ReadOnlySpan<byte> NextWord(ref ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf((byte)' ');
        ReadOnlySpan<byte> word = end < 0 ? text : text[..end];
        // A space at the end leaves one empty word to read, which no reader below accepts.
        text = end < 0 ? default : end == text.Length - 1 ? " "u8 : text[(end + 1)..];
        return word;
    }

    private static bool TryReadGeneration(ReadOnlySpan<byte> word, out ulong generation)
    {
        generation = 0;
        return word.Length == 16 && !word.ContainsAnyExcept(HexDigits)
            && Utf8Parser.TryParse(word, out generation, out int read, 'x') && read == word.Length;
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> word, out ulong number)
    {
        number = 0;
        return !word.IsEmpty && word.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0 && (word[0] != '0' || word.Length == 1)
            && Utf8Parser.TryParse(word, out number, out int read) && read == word.Length;
    }
}
