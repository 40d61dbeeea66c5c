namespace Trunkline.Topics;

/// <summary>
/// The order of topics by their levels: a topic, then everything below it, then its next sibling. It is the order of
/// the bytes if the slash comes before every other byte; U+0000, the only one that could come before it, is in no topic.
/// <code>
///   a    a/    a/b    a/b/c    a/c    a!    b          not   a  a!  a/ ...   as plain bytes have it
/// </code>
/// The topics below a prefix P are those from P to, exclusive, P + U+0001.
/// </summary>
internal static class TopicOrder
{
    public const byte AfterSubtree = 1;

    public static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        int common = left.CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
        {
            return left.Length - right.Length;
        }
        return Rank(left[common]) - Rank(right[common]);
    }

    private static int Rank(byte value) => value == TopicText.Separator ? 0 : value;
}
