using Trunkline.Loadtest.Tests.Options;

namespace Trunkline.Loadtest.Tests.Patterns;

public sealed class PlanBuilderTests
{
    [Fact]
    public void Fan_in_has_one_subscriber_for_all_levels_that_differ()
    {
        LoadPlan plan = Plan("fanin -c 3 -t a/%i/b");
        ClientSpec subscriber = plan.Clients[0];
        Assert.Equal(("a/+/b", null), (subscriber.Filter, subscriber.Topic));
        Assert.Equal(["a/0/b", "a/1/b", "a/2/b"], plan.Clients.Skip(1).Select(client => client.Topic));
        Assert.Equal([0, 1, 2], plan.Expected[0]);
        Assert.Equal([1, 1, 1], plan.Copies());
    }

    [Fact]
    public void Fan_out_must_reach_everybody()
    {
        LoadPlan plan = Plan("fanout -c 4");
        Assert.Equal([4], plan.Copies());
        Assert.Equal(5, plan.Clients.Count);
    }

    [Fact]
    public void A_pair_lives_on_different_targets()
    {
        LoadPlan plan = Plan("pair -c 6 -h a,b");
        ClientSpec[] subscribers = [.. plan.Clients.Where(client => client.Filter is not null)];
        ClientSpec[] publishers = [.. plan.Clients.Where(client => client.Topic is not null)];
        Assert.Equal((3, 3), (subscribers.Length, publishers.Length));
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(subscribers[i].Filter, publishers[i].Topic);
            Assert.NotEqual(subscribers[i].Target, publishers[i].Target);
            Assert.Equal([publishers[i].Publisher], plan.Expected[subscribers[i].Index]);
        }
    }

    [Fact]
    public void Publishers_may_have_targets_of_their_own()
    {
        LoadPlan plan = Plan("pair -c 8 -h a,b --publish-to c,d");
        Assert.Equal([1, 0, 1, 0], plan.Clients.Where(client => client.Filter is not null).Select(client => client.Target));
        Assert.Equal([2, 3, 2, 3], plan.Clients.Where(client => client.Topic is not null).Select(client => client.Target));
    }

    [Theory]
    [InlineData("pubsub -c 3 -t all", 3)]
    [InlineData("pubsub -c 3", 1)]
    [InlineData("pubsub -c 3 -t x/%i --filter x/#", 3)]
    [InlineData("pubsub -c 3 -t x/%i --filter y/%i", 0)]
    [InlineData("pubsub -c 3 -t x --filter $share/g/x", 0)]
    public void Who_must_get_what_follows_from_filters_and_topics(string arguments, int copies) =>
        Assert.All(Plan(arguments).Copies(), count => Assert.Equal(copies, count));

    [Fact]
    public void Placeholders_and_the_first_number()
    {
        ClientSpec client = Plan("pub -c 2 -n 10 --prefix p -u user%i -t %i/%c/%u").Clients[1];
        Assert.Equal(("p_p11", "user11", "11/p_p11/user11"), (client.ClientId, client.UserName, client.Topic));
    }

    [Fact]
    public void Churn_has_a_new_name_and_filter_each_time()
    {
        LoadOptions options = OptionParser.Parse(["churn"]).Options;
        ClientSpec client = PlanBuilder.Build(options, "p").Clients[0];
        ClientSpec first = PlanBuilder.NextCycle(client, options, "p", 1);
        ClientSpec second = PlanBuilder.NextCycle(first, options, "p", 2);
        Assert.NotEqual(first.ClientId, second.ClientId);
        Assert.NotEqual(first.Filter, second.Filter);
    }

    private static LoadPlan Plan(string arguments)
    {
        (LoadOptions options, IReadOnlyList<string> errors) = OptionParser.Parse(OptionParserTests.Split(arguments));
        Assert.Empty(errors);
        return PlanBuilder.Build(options, "p");
    }
}
