using Trunkline.Tool.Bench.Load;

namespace Trunkline.SystemTests.Bench;

public sealed class RedisCallsTests
{
    [Fact]
    public void Scripts_are_counted_apart_from_all_commands()
    {
        const string info = "# Commandstats\r\ncmdstat_evalsha:calls=12,usec=60,usec_per_call=5.00\r\ncmdstat_eval:calls=1,usec=9,usec_per_call=9.00\r\n"
            + "cmdstat_hset:calls=40,usec=40,usec_per_call=1.00\r\ncmdstat_config|get:calls=2,usec=4,usec_per_call=2.00\r\n";

        Assert.Equal(new RedisCalls(Scripts: 13, Commands: 55), RedisCalls.Parse(info));
        Assert.Equal(default, RedisCalls.Parse("-LOADING Redis is loading the dataset in memory\r\n"));
    }

    [Fact]
    public void A_message_costs_what_came_beyond_what_the_time_costs_anyway()
    {
        RedisCalls cost = RedisCalls.PerMessage(
            before: new RedisCalls(100, 1000), after: new RedisCalls(530, 3_060), idlePerSecond: new RedisCalls(3, 6), seconds: 10, messages: 100);

        Assert.Equal(new RedisCalls(4, 20), cost);
    }
}
