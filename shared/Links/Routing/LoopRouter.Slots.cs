using Trunkline.Topics;

namespace Trunkline.Links;

internal sealed partial class LoopRouter
{
    /// <summary>
    /// Goes over to a new slot map: every filter gets the groups it needs now; what it needs no longer is given up after
    /// its new groups were asked, so that nothing falls between. False, and nothing done, when the map is no newer one.
    /// </summary>
    public bool UpdateSlots(SlotMap slots)
    {
        if (!slots.IsNewerThan(_slots))
        {
            return false;
        }

        _slots = slots;
        Context.KnownTopic.Route = null;
        _allGroups = [.. Enumerable.Range(0, int.Min(slots.GroupCount, _groups.Length))];
        foreach (LocalFilter filter in _filters.Items)
        {
            int[] before = filter.Groups;
            filter.Groups = GroupsOf(filter.Text);
            foreach (int group in filter.Groups.Except(before))
            {
                for (int i = 0; i < filter.Count; i++)
                {
                    Ask(group, filter[i], null, wantsRetained: false);
                }
            }

            foreach (int group in before.Except(filter.Groups))
            {
                new FilterRequest(_receivers[group], RequestKind.Release, Loop.Index, filter.Text).Send();
            }
        }

        return true;
    }
}
