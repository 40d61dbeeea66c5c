using System.Globalization;

namespace Trunkline.Directory;

/// <summary>Names of due entries, as <see cref="RedisKeys"/> lists them.</summary>
internal static class DueMember
{
    internal static string Will(string clientId) => "w:" + clientId;

    internal static string Expiry(string clientId) => "x:" + clientId;

    internal static string Owed(long epoch, string clientId) => string.Create(CultureInfo.InvariantCulture, $"o:{epoch}:{clientId}");

    internal static bool IsWill(string member) => member.StartsWith("w:", StringComparison.Ordinal);

    /// <summary>Whether the entry is about a session's own record; the letters of newer versions are not.</summary>
    internal static bool IsSession(string member) => IsWill(member) || member.StartsWith("x:", StringComparison.Ordinal);

    internal static string ClientIdOf(string member) => member[2..];

    internal static bool TryReadOwed(string member, out long epoch, out string clientId)
    {
        (epoch, clientId) = (0, "");
        int colon = member.StartsWith("o:", StringComparison.Ordinal) ? member.IndexOf(':', 2) : -1;
        if (colon < 0 || !long.TryParse(member.AsSpan(2, colon - 2), NumberStyles.None, CultureInfo.InvariantCulture, out epoch))
        {
            return false;
        }

        clientId = member[(colon + 1)..];
        return true;
    }
}
