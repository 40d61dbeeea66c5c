using System.Globalization;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Interleavings;

/// <summary>
/// A session goes away amid its retained messages; meanwhile each is replaced, and the log's message of it is skipped: by a
/// limit, by its age, or because the log has lost it. Each comes as the retained one then, once at QoS 2.
/// </summary>
public sealed class RetainedSkipTests
{
    private const int Subscriber = 0;
    private const int Publisher = 1;

    /// <summary>All but the last topic, which is what fills the log.</summary>
    private const int Replaced = 5;

    [Theory]
    [InlineData(BacklogPolicy.DropOldest, QoS.AtLeastOnce)]
    [InlineData(BacklogPolicy.DropOldest, QoS.ExactlyOnce)]
    [InlineData(BacklogPolicy.Disconnect, QoS.ExactlyOnce)]
    public void A_limit_skips_them(BacklogPolicy policy, QoS qos)
    {
        using var away = new Away(Settings(qos, mqtt => mqtt with { BacklogMessages = 3, BacklogPolicy = policy }));
        away.Replace(qos, filling: 8);
        away.Resume(node: 0);
        away.HasEachOnce();
    }

    [Fact]
    public void The_limit_of_drop_newest_skips_them()
    {
        // What fills the log comes first here, so that the oldest that are kept are not those that replace.
        using var away = new Away(Settings(QoS.ExactlyOnce, mqtt => mqtt with { BacklogMessages = 3, BacklogPolicy = BacklogPolicy.DropNewest }));
        away.Fill(QoS.ExactlyOnce, 4);
        away.Replace(QoS.ExactlyOnce, filling: 0);
        away.Resume(node: 0);
        away.HasEachOnce();
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void Their_age_skips_them(QoS qos)
    {
        using var away = new Away(Settings(qos, mqtt => mqtt with { BacklogAgeSeconds = 5 }));
        away.Replace(qos, filling: 0);
        away.Do(new Step(StepKind.Pass, 6_000));
        away.Resume(node: 1);
        away.HasEachOnce();
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void The_log_has_lost_them(QoS qos)
    {
        using var away = new Away(Settings(qos, mqtt => mqtt) with { LogMessages = 10 });
        away.Replace(qos, filling: 60);
        away.Resume(node: 1);
        away.HasEachOnce();
    }

    /// <summary>The node that skipped them dies before the device has them: the next one finds in the record that they were skipped.</summary>
    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void The_node_that_skipped_them_dies(QoS qos)
    {
        using var away = new Away(Settings(qos, mqtt => mqtt with { BacklogMessages = 3 }));
        away.Replace(qos, filling: 8);
        away.Do(
            new Step(StepKind.Connect, Subscriber, 1),
            new Step(StepKind.Run),
            new Step(StepKind.AnswerSome, Subscriber, 1),
            new Step(StepKind.Run),
            new Step(StepKind.AnswerSome, Subscriber, (int)qos - 1),
            new Step(StepKind.Run),
            new Step(StepKind.Pass, 300));
        Assert.True(away.Story.Exists(line => line.Contains("g:0:1:6 to 1:16", StringComparison.Ordinal)), string.Join('\n', away.Story));
        away.Do(new Step(StepKind.Kill, 1));
        away.Resume(node: 0);

        // What was in flight as a retained message comes again after a death (docs/adr/0007, Known limits).
        away.HasEachOnce(except: "a");
    }

    /// <summary>It moves in order after they were skipped: what its last write says is enough.</summary>
    [Fact]
    public void The_session_moves_after_they_were_skipped()
    {
        using var away = new Away(Settings(QoS.ExactlyOnce, mqtt => mqtt with { BacklogMessages = 3 }));
        away.Replace(QoS.ExactlyOnce, filling: 8);
        away.Do(
            new Step(StepKind.Connect, Subscriber, 1),
            new Step(StepKind.Run),
            new Step(StepKind.AnswerSome, Subscriber, 1),
            new Step(StepKind.Run),
            new Step(StepKind.AnswerSome, Subscriber, 1),
            new Step(StepKind.Run));
        Assert.True(away.Story.Exists(line => line.Contains("g:0:1:6 to 1:16", StringComparison.Ordinal)), string.Join('\n', away.Story));
        away.Resume(node: 0);
        away.HasEachOnce(except: "a");
    }

    /// <summary>Nothing was skipped: the log gives them, and nobody asks again.</summary>
    [Fact]
    public void What_is_not_skipped_comes_from_the_log_alone()
    {
        using var away = new Away(Settings(QoS.ExactlyOnce, mqtt => mqtt));
        away.Replace(QoS.ExactlyOnce, filling: 8);
        away.Resume(node: 1);
        away.HasEachOnce();
        Assert.DoesNotContain(away.Story, line => line.Contains("as retained", StringComparison.Ordinal) && line.Contains("#2\"", StringComparison.Ordinal));
    }

    private static Settings Settings(QoS qos, Func<MqttOptions, MqttOptions> mqtt)
    {
        Settings plain = Interleavings.Settings.Plain(2, 1, [qos], 1);
        return plain with
        {
            Faults = Faults.RetainedSkips,
            PayloadBytes = 300,
            Mqtt = mqtt(plain.Mqtt with { MaximumInFlight = 1 }),
            Links = plain.Links with { RetainedPageBytes = 256, BacklogPageBytes = 1024 },
        };
    }

    /// <summary>A subscriber that went away with two of six retained messages.</summary>
    private sealed class Away : IDisposable
    {
        private readonly ModelTier _tier;
        private readonly SynchronizationContext? _before = SynchronizationContext.Current;

        public Away(Settings settings)
        {
            // Whatever is awaited goes on where it is completed: the model is alone on this thread.
            SynchronizationContext.SetSynchronizationContext(null);
            _tier = new ModelTier(settings, null, Story);
            QoS qos = settings.Subscribers[0];
            Do(new Step(StepKind.Connect, Publisher, 0), new Step(StepKind.Run));
            for (int topic = 0; topic < settings.Topics.Count; topic++)
            {
                Do(new Step(StepKind.Publish, Publisher, topic, (int)qos), new Step(StepKind.Run));
            }

            Do(
                new Step(StepKind.AnswerAtOnce, Subscriber, 0),
                new Step(StepKind.Connect, Subscriber, 0),
                new Step(StepKind.Run),
                new Step(StepKind.Drop, Subscriber),
                new Step(StepKind.Pass, 300));
            Assert.True(Story.Exists(line => line.Contains("s0/1 gets \"", StringComparison.Ordinal)), string.Join('\n', Story));
        }

        public List<string> Story { get; } = [];

        public void Do(params Step[] steps)
        {
            foreach (Step step in steps)
            {
                _tier.Do(step);
            }
        }

        /// <summary>Each topic gets a newer retained message, the last one so many.</summary>
        public void Replace(QoS qos, int filling)
        {
            for (int topic = 0; topic < Replaced; topic++)
            {
                Do(new Step(StepKind.Publish, Publisher, topic, (int)qos), new Step(StepKind.Run));
            }

            Fill(qos, filling);
        }

        public void Fill(QoS qos, int messages)
        {
            for (int i = 0; i < messages; i++)
            {
                Do(new Step(StepKind.Publish, Publisher, Replaced, (int)qos), new Step(StepKind.Run));
            }
        }

        /// <summary>The device comes back, and answers, until everything that has to come has come.</summary>
        public void Resume(int node)
        {
            // The policies but the first skip what was dispatched to the node, which a node without the filter learns from the tail.
            Do(
                new Step(StepKind.Pass, 300),
                new Step(StepKind.AnswerAtOnce, Subscriber, 1),
                new Step(StepKind.Connect, Subscriber, node),
                new Step(StepKind.Run));
            _tier.Settle();
            Assert.True(_tier.Ledger.Violations.Count == 0, string.Join('\n', [.. _tier.Ledger.Violations, .. Story]));
        }

        /// <summary>The device has the newest message of each topic that was replaced, and none of them by two exchanges.</summary>
        public void HasEachOnce(string? except = null)
        {
            for (int topic = 0; topic < Replaced; topic++)
            {
                if (_tier.Settings.Topics[topic] == except)
                {
                    continue;
                }

                string newest = string.Create(CultureInfo.InvariantCulture, $"\"p0 {_tier.Settings.Topics[topic]} QoS {(int)_tier.Settings.Subscribers[0]} #2\"");
                int times = Story.Count(line => line.Contains($"  s0/", StringComparison.Ordinal) && line.Contains(" gets " + newest, StringComparison.Ordinal)
                    && !line.EndsWith("DUP", StringComparison.Ordinal));
                Assert.True(times == 1, $"{newest} came {times} times\n{string.Join('\n', Story)}");
            }
        }

        public void Dispose()
        {
            _tier.Dispose();
            SynchronizationContext.SetSynchronizationContext(_before);
        }
    }
}
