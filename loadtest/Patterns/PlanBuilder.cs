using System.Globalization;
using System.Text;
using Trunkline.Topics;

namespace Trunkline.Loadtest;

/// <summary>Makes the plan of a pattern: names, topics, filters, targets, and who must get what.</summary>
internal sealed class PlanBuilder
{
    private readonly LoadOptions _options;
    private readonly string _prefix;
    private readonly int _targets;
    private readonly int _publishTargets;
    private readonly List<ClientSpec> _clients = [];
    private int _publishers;

    private PlanBuilder(LoadOptions options, string prefix)
    {
        _options = options;
        _prefix = prefix;
        _targets = options.Targets.Count;
        _publishTargets = options.PublishTargets.Count;
    }

    /// <summary>Makes the plan.</summary>
    public static LoadPlan Build(LoadOptions options, string prefix)
    {
        var builder = new PlanBuilder(options, prefix);
        builder.AddClients();
        return new LoadPlan { Clients = builder._clients, Expected = Expectations(builder._clients) };
    }

    /// <summary>The spec of a client of churn for its next cycle: a new id and a new filter.</summary>
    public static ClientSpec NextCycle(ClientSpec client, LoadOptions options, string prefix, long cycle)
    {
        string id = string.Create(CultureInfo.InvariantCulture, $"{prefix}_c{client.Index}_{cycle}");
        string template = options.Filter ?? options.Topic ?? "loadtest/churn/%c";
        return client with { ClientId = id, Filter = Expand(template, client.Number, id, client.UserName) };
    }

    /// <summary>Replaces %i, %c and %u.</summary>
    public static string Expand(string template, int number, string clientId, string? userName) => template
        .Replace("%i", number.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
        .Replace("%c", clientId, StringComparison.Ordinal)
        .Replace("%u", userName ?? "", StringComparison.Ordinal);

    private void AddClients()
    {
        int count = _options.Count;
        switch (_options.Pattern)
        {
            case LoadPattern.FanIn:
                Add('s', 0, _targets - 1, subscribes: true);
                AddMany('p', count, publishes: true);
                break;
            case LoadPattern.FanOut:
                AddMany('s', count, subscribes: true);
                Add('p', 0, 0, publishes: true);
                break;
            case LoadPattern.Pair:
                for (int i = 0; i < count / 2; i++)
                {
                    Add('s', i, (i + 1) % _targets, subscribes: true);
                }

                AddMany('p', count / 2, publishes: true);
                break;
            case LoadPattern.Pub:
                AddMany('p', count, publishes: true);
                break;
            case LoadPattern.Sub:
                AddMany('s', count, subscribes: true);
                break;
            case LoadPattern.PubSub:
                AddMany('b', count, subscribes: true, publishes: true);
                break;
            default:
                AddMany('c', count, subscribes: _options.Filter is not null || _options.Topic is not null);
                break;
        }
    }

    private void AddMany(char role, int count, bool subscribes = false, bool publishes = false)
    {
        for (int i = 0; i < count; i++)
        {
            Add(role, i, i % _targets, subscribes, publishes);
        }
    }

    private void Add(char role, int place, int target, bool subscribes = false, bool publishes = false)
    {
        int number = _options.StartNumber + place;
        string id = string.Create(CultureInfo.InvariantCulture, $"{_prefix}_{role}{number}");
        string? user = _options.UserName?.Replace("%i", number.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        _clients.Add(new ClientSpec
        {
            Number = number,
            ClientId = id,
            Target = publishes && _publishTargets > 0 ? _targets + (place % _publishTargets) : target,
            Index = _clients.Count,
            UserName = user,
            Filter = subscribes ? Expand(FilterTemplate(), number, id, user) : null,
            Topic = publishes ? Expand(TopicTemplate(), number, id, user) : null,
            Publisher = publishes ? _publishers++ : -1,
        });
    }

    private string TopicTemplate() => _options.Topic ?? (_options.Pattern switch
    {
        LoadPattern.FanOut => "loadtest/fanout",
        LoadPattern.Pub or LoadPattern.Sub => "loadtest/%i",
        _ => $"loadtest/{_options.Pattern.ToString().ToLowerInvariant()}/%i",
    });

    /// <summary>Of fan-in the one subscriber takes every level that differs; everybody else what the topic says.</summary>
    private string FilterTemplate()
    {
        if (_options.Filter is not null || _options.Pattern != LoadPattern.FanIn)
        {
            return _options.Filter ?? TopicTemplate();
        }

        return string.Join('/', TopicTemplate().Split('/').Select(level => level.Contains('%', StringComparison.Ordinal) ? "+" : level));
    }

    /// <summary>Matches filters and topics: equal filters are matched once.</summary>
    private static int[][] Expectations(List<ClientSpec> clients)
    {
        List<ClientSpec> publishers = [.. clients.Where(client => client.Topic is not null)];
        var byTopic = publishers.GroupBy(client => client.Topic!, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Select(client => client.Publisher).ToArray(), StringComparer.Ordinal);
        var byFilter = new Dictionary<string, int[]>(StringComparer.Ordinal);
        int[][] expected = new int[clients.Count][];
        for (int i = 0; i < clients.Count; i++)
        {
            string? filter = clients[i].Filter;
            if (filter is null || filter.StartsWith("$share/", StringComparison.Ordinal))
            {
                // Who of a share gets a message is the broker's choice.
                expected[i] = [];
                continue;
            }

            if (!byFilter.TryGetValue(filter, out int[]? matched))
            {
                matched = filter.AsSpan().ContainsAny('+', '#')
                    ? [.. publishers.Where(client => Matches(filter, client.Topic!)).Select(client => client.Publisher)]
                    : byTopic.GetValueOrDefault(filter, []);
                byFilter.Add(filter, matched);
            }

            expected[i] = matched;
        }

        return expected;
    }

    private static bool Matches(string filter, string topic) =>
        TopicMatcher.Matches(Encoding.UTF8.GetBytes(filter), Encoding.UTF8.GetBytes(topic));
}
