using System.Net;

namespace Trunkline.Hosting;

/// <summary>Checks a program's listeners, each and all together.</summary>
public static class ListenerListCheck
{
    /// <summary>The listeners with a name each: <c>tcp-0</c> where none is set.</summary>
    public static IReadOnlyList<ListenerOptions> WithNames(IReadOnlyList<ListenerOptions> listeners) =>
    [
        .. listeners.Select((listener, n) =>
            listener.Name.Length > 0 ? listener : listener with { Name = $"{listener.Type.ToString().ToLowerInvariant()}-{n}" }),
    ];

    /// <summary>A sentence per error, each with the setting's path.</summary>
    public static void Validate(IReadOnlyList<ListenerOptions> listeners, ICollection<string> errors)
    {
        var names = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var addresses = new Dictionary<IPEndPoint, int>();
        for (int n = 0; n < listeners.Count; n++)
        {
            ListenerOptions listener = listeners[n];
            listener.Validate($"Listeners:{n}", errors);
            if (!names.TryAdd(listener.Name, n))
            {
                errors.Add($"Listeners:{n}:Name is \"{listener.Name}\", as that of Listeners:{names[listener.Name]}; metrics and logs could not tell them apart, so give each a name of its own.");
            }

            if (ListenerOptions.TryParseEndPoint(listener.Address, out IPEndPoint? endPoint) && endPoint!.Port != 0 && !addresses.TryAdd(endPoint, n))
            {
                errors.Add($"Listeners:{n}:Address is {listener.Address}, as that of Listeners:{addresses[endPoint]}; choose another port.");
            }
        }
    }
}
