using System.Globalization;
using System.Text;

namespace Trunkline.Loadtest;

/// <summary>The text of --help.</summary>
internal static class Help
{
    private const string Head = """
        Puts MQTT load on a tier and says what became of it. Clients live on one or a few event loops.

        Usage: trunkline-loadtest PATTERN [OPTIONS]
               trunkline-loadtest compare A.json B.json [--html FILE]

          conn     connect and stay idle
          pub      all publish                    sub      all subscribe; others publish
          pubsub   each client does both          pair     half publish, each to its own subscriber
          fanin    all publish to one subscriber  fanout   one publishes to all
          churn    connect, subscribe, disconnect under a new name each time
          storm    all are dropped at once and come back

        Options (letters as emqtt-bench has them; docs/LOADTEST.md explains every figure):

        """;

    /// <summary>Writes it.</summary>
    public static string Text()
    {
        var text = new StringBuilder(Head);
        foreach (OptionSpec option in OptionTable.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {option.Usage,-34} {option.Help}\n");
        }

        return text.Append("\nExit code: 0, 99 when a threshold was missed, 2 for wrong arguments, 1 when nothing could connect.\n").ToString();
    }
}
