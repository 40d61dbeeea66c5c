using System.Text;

namespace Trunkline.Protocol.Tests.Support;

/// <summary>Random fields of packets, from a seed.</summary>
internal sealed class RandomSource(int seed)
{
    private static readonly string[] Pieces = ["a", "/", "sensor", "é", "€", "😀", "+", "#", "0", " ", "\uFEFF"];

    private readonly Random _random = new(seed);

    public int Next(int limit) => _random.Next(limit);

    public int Next(int from, int limit) => _random.Next(from, limit);

    public bool Coin() => _random.Next(2) == 0;

    public ProtocolVersion Version() => (ProtocolVersion)_random.Next(3, 6);

    public ushort Id() => (ushort)_random.Next(1, 65_536);

    public uint? Number() => Coin() ? (uint)_random.NextInt64(uint.MaxValue + 1L) : null;

    /// <summary>Text that is not empty.</summary>
    public byte[] Topic() =>
        Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, _random.Next(1, 12)).Select(_ => Pieces[_random.Next(Pieces.Length)])));

    /// <summary>Text, sometimes empty, often absent.</summary>
    public byte[]? Text(bool allowed = true) => !allowed || Coin() ? null : Coin() ? Topic() : [];

    /// <summary>Any bytes, or none at all.</summary>
    public byte[]? Bytes(bool allowed)
    {
        if (!allowed)
        {
            return null;
        }

        var bytes = new byte[_random.Next(300)];
        _random.NextBytes(bytes);
        return bytes;
    }

    public UserPropertyList User(bool allowed = true)
    {
        var builder = new UserPropertyBuilder(new byte[600]);
        for (var count = allowed ? _random.Next(4) : 0; count > 0; count--)
        {
            builder.TryAdd(Topic(), Topic());
        }

        return builder.List;
    }
}
