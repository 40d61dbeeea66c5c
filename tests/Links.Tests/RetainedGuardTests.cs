namespace Trunkline.Links.Tests;

/// <summary>Which topics a subscription remembers while its retained messages are still to come.</summary>
public sealed class RetainedGuardTests
{
    [Fact]
    public void Beyond_the_limit_a_further_topic_is_not_remembered_and_says_so()
    {
        var guard = new RetainedGuard(2);
        Assert.True(guard.Saw("a"u8));
        Assert.True(guard.Saw("b"u8));
        Assert.False(guard.Saw("c"u8));

        // One that is remembered stays so.
        Assert.True(guard.Saw("a"u8));
        Assert.True(guard.Has("a"u8));
        Assert.True(guard.Has("b"u8));
        Assert.False(guard.Has("c"u8));
    }
}
