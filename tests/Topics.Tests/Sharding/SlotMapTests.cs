using static Trunkline.Topics.Tests.Utf8Text;

namespace Trunkline.Topics.Tests;

public class SlotMapTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(255)]
    [InlineData(256)]
    public void Even_maps_differ_by_one_slot_at_most_and_survive_their_text(int groups)
    {
        SlotMap map = SlotMap.Even(groups, 5, 0xDEADBEEF);
        int[] sizes = Enumerable.Range(0, groups).Select(map.SlotsOf).ToArray();
        Assert.Equal(Slots.Count, sizes.Sum());
        Assert.InRange(sizes.Max() - sizes.Min(), 0, 1);
        Assert.True(SlotMap.TryParse(map.ToUtf8(), out SlotMap? read));
        Assert.Equal(map, read);
        Assert.Equal(map.ToString(), read!.ToString());
    }

    [Fact]
    public void The_text_is_what_the_file_shows()
    {
        Assert.Equal("slots/1 00000000deadbeef 7 2 8192x0 8192x1", SlotMap.Even(2, 7, 0xDEADBEEF).ToString());
        SlotMap moved = SlotMap.Even(2, 7, 1).WithOwner(100, 100, 1);
        Assert.Equal("slots/1 0000000000000001 8 2 100x0 1x1 8091x0 8192x1", moved.ToString());
    }

    [Fact]
    public void The_most_broken_up_map_fits_its_limit()
    {
        SlotMap map = SlotMap.Even(256, ulong.MaxValue - 20_000, ulong.MaxValue);
        for (int slot = 0; slot < Slots.Count; slot++)
        {
            map = map.WithOwner(slot, slot, 254 + (slot % 2));
        }
        Assert.InRange(map.ToUtf8().Length, 1, SlotMap.MaximumTextBytes);
        Assert.True(SlotMap.TryParse(map.ToUtf8(), out SlotMap? read));
        Assert.Equal(map, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("slots/1")]
    [InlineData("slots/2 0000000000000001 1 1 16384x0")]
    [InlineData("slots/1 1 1 1 16384x0")]
    [InlineData("slots/1 000000000000000G 1 1 16384x0")]
    [InlineData("slots/1 0000000000000001 -1 1 16384x0")]
    [InlineData("slots/1 0000000000000001 01 1 16384x0")]
    [InlineData("slots/1 0000000000000001 99999999999999999999 1 16384x0")]
    [InlineData("slots/1 0000000000000001 1 0 16384x0")]
    [InlineData("slots/1 0000000000000001 1 257 16384x0")]
    [InlineData("slots/1 0000000000000001 1 1 16384x1")]
    [InlineData("slots/1 0000000000000001 1 1 16383x0")]
    [InlineData("slots/1 0000000000000001 1 1 16385x0")]
    [InlineData("slots/1 0000000000000001 1 1 16384x0 0x0")]
    [InlineData("slots/1 0000000000000001 1 2 1x0 16383x0")]
    [InlineData("slots/1 0000000000000001 1 1 16384x0 ")]
    [InlineData("slots/1  0000000000000001 1 1 16384x0")]
    [InlineData("slots/1 0000000000000001 1 1 16384x0\n")]
    [InlineData("slots/1 0000000000000001 1 1 16384")]
    [InlineData("slots/1 0000000000000001 1 1 x0")]
    public void Any_other_text_is_refused(string text)
    {
        Assert.False(SlotMap.TryParse(Bytes(text), out SlotMap? map));
        Assert.Null(map);
    }

    [Fact]
    public void The_higher_version_counts_within_a_generation_and_across()
    {
        SlotMap one = SlotMap.Even(2, 1, 9);
        SlotMap two = one.WithOwner(0, 10, 1);
        SlotMap emptied = SlotMap.Even(2, 1, 5);
        Assert.True(two.IsNewerThan(one));
        Assert.False(one.IsNewerThan(two));
        Assert.True(two.IsNewerThan(emptied)); // A directory that lost everything does not undo the move.
        Assert.False(emptied.IsNewerThan(two));
        SlotMap written = two.WithGeneration(5);
        Assert.True(written.IsNewerThan(two));
        Assert.Equal((3UL, 5UL), (written.Version, written.Generation));
        Assert.True(one.IsNewerThan(null));
        Assert.False(one.IsNewerThan(one));
    }

    [Fact]
    public void Equal_versions_are_decided_alike_by_everyone_and_told()
    {
        SlotMap left = SlotMap.Even(2, 4, 9).WithOwner(0, 0, 1);
        SlotMap right = SlotMap.Even(2, 4, 9).WithOwner(1, 1, 1);
        Assert.True(left.IsNewerThan(right) ^ right.IsNewerThan(left));
        Assert.True(left.ConflictsWith(right));
        SlotMap other = SlotMap.Even(2, 5, 3);
        Assert.True(left.IsNewerThan(other)); // Generation 9 over 3.
        Assert.True(left.ConflictsWith(other));
        Assert.False(left.ConflictsWith(SlotMap.Even(2, 4, 9)));
    }

    [Fact]
    public void Groups_of_topics_and_filters_follow_the_owners()
    {
        SlotMap map = SlotMap.Even(3);
        Assert.Equal(map.GroupOf(12182), map.GroupOfTopic("foo"u8, 0));
        Assert.Equal(map.GroupOf(12182), map.GroupOfTopic("foo/x/y"u8, 1));
        Assert.True(map.TryGroupOfFilter("foo/#"u8, 1, out int group));
        Assert.Equal(map.GroupOf(12182), group);
        Assert.False(map.TryGroupOfFilter("foo/#"u8, 0, out _));
        SlotMap moved = map.WithOwner(12182, 12182, 0);
        Assert.Equal(0, moved.GroupOfTopic("foo"u8, 0));
        Assert.Equal(2, map.GroupOfTopic("foo"u8, 0)); // The old map has not changed.
    }

    [Fact]
    public void A_group_goes_only_when_it_owns_nothing()
    {
        SlotMap map = SlotMap.Even(2);
        Assert.Throws<ArgumentOutOfRangeException>(() => map.WithGroups(1));
        SlotMap single = map.WithOwner(0, Slots.Count - 1, 0).WithGroups(1);
        Assert.Equal((1, 3UL), (single.GroupCount, single.Version));
        SlotMap wider = map.WithGroups(5);
        Assert.Equal(0, wider.SlotsOf(4));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.WithOwner(0, 0, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.WithOwner(5, 4, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.WithOwner(0, Slots.Count, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => SlotMap.Even(257));
    }
}
