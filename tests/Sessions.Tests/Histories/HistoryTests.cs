namespace Trunkline.Sessions.Tests.Histories;

/// <summary>Random histories of several devices against a model of what each must get. A failure prints its seed.</summary>
public sealed class HistoryTests
{
    private const int Steps = 400;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 150)];

    [Theory]
    [MemberData(nameof(Seeds))]
    [Clause(Specification.Mqtt311, "MQTT-4.3.2-1", "MQTT-4.3.3-1", "MQTT-4.4.0-1", "MQTT-4.5.0-1", "MQTT-4.6.0-1", "MQTT-4.6.0-6", "MQTT-2.3.1-4")]
    [Clause(Specification.Mqtt50, "MQTT-2.2.1-4", "MQTT-3.3.4-9", "MQTT-4.3.3-10", "MQTT-4.4.0-1", "MQTT-4.5.0-1", "MQTT-4.6.0-5")]
    public void Nothing_is_lost_repeated_or_out_of_order(int seed)
    {
        try
        {
            new History(seed).Run(Steps);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"Seed {seed}: {exception.Message}", exception);
        }
    }

    private sealed class History
    {
        private readonly Random _random;
        private readonly TestBed _bed;
        private readonly List<Device> _devices = [];
        private readonly HashSet<string> _seen = [];

        public History(int seed)
        {
            _random = new Random(seed);
            _bed = new TestBed(
                new Setup(ProtocolVersion.Mqtt50, seed % 5 == 0 ? Feed.Split : Feed.Whole),
                new MqttOptions { MaximumInFlight = _random.Next(1, 12), LiveQueueMessages = 3 });
            _bed.Router.OnPublished = Promise;
            for (int i = 0; i < 4; i++)
            {
                ProtocolVersion version = (ProtocolVersion)_random.Next(3, 6);
                int receiveMaximum = version == ProtocolVersion.Mqtt50 ? _random.Next(1, 8) : ushort.MaxValue;
                _devices.Add(new Device(_bed, $"d{i}", version, receiveMaximum));
            }
        }

        public void Run(int steps)
        {
            for (int i = 0; i < steps; i++)
            {
                _bed.Router.PublishAnswer = _random.Next(2) == 0 ? Answer.Now : Answer.Later;
                _bed.Router.SubscribeAnswer = _random.Next(2) == 0 ? Answer.Now : Answer.Later;
                Step(_devices[_random.Next(_devices.Count)]);
            }

            Finish();
            foreach (Device device in _devices)
            {
                device.AssertComplete();
            }

            _bed.EndAll();
            _bed.AssertAtRest();
        }

        private void Step(Device device)
        {
            int dice = _random.Next(100);
            if (device.Client is null)
            {
                device.Connect();
            }
            else if (dice < 5)
            {
                device.Leave(politely: dice < 2, losesOutput: _random.Next(2) == 0);
            }
            else if (dice < 10 || !device.IsSubscribed)
            {
                device.Subscribe();
            }
            else if (dice < 45)
            {
                device.Publish(_random);
            }
            else if (dice < 55)
            {
                _bed.Router.CompletePublishes(count: _random.Next(1, 6));
            }
            else if (dice < 62)
            {
                _bed.Router.CompleteOperations(1);
            }
            else if (dice < 70)
            {
                device.Client.Host.IsCongested = true;
            }
            else if (dice < 80)
            {
                device.Client.Relieve();
            }
            else
            {
                device.Work(_random, all: false);
            }
        }

        /// <summary>Everything the router takes for the first time is promised to every device whose filter is live then.</summary>
        private void Promise(Published published)
        {
            if (published.QoS == QoS.AtMostOnce || !_seen.Add(published.Payload))
            {
                Assert.True(published.QoS != QoS.ExactlyOnce, $"{published.Payload} was forwarded twice");
                return;
            }

            foreach (string clientId in published.Receivers)
            {
                _devices.Single(device => device.Name == clientId).Promise(published.Payload);
            }
        }

        private void Finish()
        {
            _bed.Router.PublishAnswer = Answer.Now;
            _bed.Router.SubscribeAnswer = Answer.Now;
            for (int round = 0; round < 2_000; round++)
            {
                bool isIdle = _bed.Router.Tickets.Count == 0 && _bed.Router.Operations.Count == 0;
                _bed.Router.CompleteOperations();
                _bed.Router.CompletePublishes();
                foreach (Device device in _devices)
                {
                    if (device.Client is null)
                    {
                        device.Connect();
                    }

                    device.Client!.Relieve();
                    device.Work(_random, all: true);
                    isIdle &= device.Unacknowledged == 0 && device.Client.Session.InFlight == 0 && device.Client.Session.Waiting == 0;
                }

                if (isIdle)
                {
                    return;
                }
            }

            Assert.Fail("The devices did not come to rest.");
        }
    }
}
