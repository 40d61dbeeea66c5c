namespace Trunkline.Topics.Tests;

/// <summary>The specification read aloud, over split strings and by recursion: slow, plain, written apart from the product.</summary>
internal static class ReferenceMatcher
{
    public static bool Matches(string filter, string topic)
    {
        if (topic.StartsWith('$') && (filter.StartsWith('+') || filter.StartsWith('#')))
        {
            return false;
        }
        return Matches(filter.Split('/'), topic.Split('/'));
    }

    private static bool Matches(string[] filter, string[] topic)
    {
        if (filter.Length == 0)
        {
            return topic.Length == 0;
        }
        if (filter is ["#"])
        {
            return true; // With no topic level left it stands for the parent.
        }
        return topic.Length > 0 && (filter[0] == "+" || filter[0] == topic[0]) && Matches(filter[1..], topic[1..]);
    }
}
