using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Trunkline.Loadtest;

/// <summary>Reads `--ifaddr`: addresses of this machine that clients dial from in turn.</summary>
internal static class SourceAddresses
{
    private const uint MaximumCount = 65_536;

    /// <summary>Reads "10.0.0.1,10.0.0.7" and ranges "127.0.0.1-127.0.0.20"; ranges of IPv4 only.</summary>
    public static IReadOnlyList<string> Parse(string text)
    {
        var addresses = new List<string>();
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] ends = part.Split('-', StringSplitOptions.TrimEntries);
            if (ends.Length > 2)
            {
                throw new OptionException($"\"{part}\" is no range of addresses; write 127.0.0.1-127.0.0.20.");
            }

            if (ends.Length == 1)
            {
                addresses.Add(Read(part).ToString());
                continue;
            }

            uint first = Number(Read(ends[0]), part);
            uint last = Number(Read(ends[1]), part);
            if (last < first || last - first >= MaximumCount)
            {
                throw new OptionException($"\"{part}\" must go upwards and hold at most {MaximumCount} addresses.");
            }

            for (uint address = first; ; address++)
            {
                addresses.Add(Format(address));
                if (address == last)
                {
                    break;
                }
            }
        }

        return addresses;
    }

    private static IPAddress Read(string text) =>
        IPAddress.TryParse(text, out IPAddress? address) ? address : throw new OptionException($"\"{text}\" is no IP address.");

    private static uint Number(IPAddress address, string part) => address.AddressFamily == AddressFamily.InterNetwork
        ? BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes())
        : throw new OptionException($"\"{part}\": ranges are for IPv4; list IPv6 addresses with commas.");

    private static string Format(uint address)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, address);
        return new IPAddress(bytes).ToString();
    }
}
