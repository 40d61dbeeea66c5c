using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Finds the device's address behind HTTP proxies.</summary>
internal static class ForwardedFor
{
    /// <summary>
    /// The right-most address that is not one of our own proxies: what stands further left is the client's own claim.
    /// False when an entry is no address.
    /// </summary>
    public static bool TryFind(IReadOnlyList<string> entries, AddressRanges trusted, NetworkAddress peer, out NetworkAddress client)
    {
        client = peer;
        for (int i = entries.Count - 1; i >= 0 && trusted.Contains(client); i--)
        {
            if (!NetworkAddress.TryParse(entries[i], out client))
            {
                return false;
            }
        }

        return true;
    }
}
