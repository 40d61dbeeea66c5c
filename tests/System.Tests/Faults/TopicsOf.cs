using System.Text;
using Trunkline.Topics;

namespace Trunkline.SystemTests.Faults;

/// <summary>Topics by the group that owns them, as the even slot table of a new tier deals them out.</summary>
public static class TopicsOf
{
    /// <summary>Topics of the form <c>prefix/n</c> that belong to a group of a tier with two.</summary>
    public static IEnumerable<string> Group(int group, string prefix)
    {
        SlotMap map = SlotMap.Even(2);
        return Enumerable.Range(0, int.MaxValue)
            .Select(n => $"{prefix}/{n}")
            .Where(topic => map.GroupOfTopic(Encoding.UTF8.GetBytes(topic), 0) == group);
    }
}
