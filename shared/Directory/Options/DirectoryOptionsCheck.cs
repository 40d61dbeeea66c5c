using System.Buffers;
using System.Globalization;

namespace Trunkline.Directory;

/// <summary>Validation of <see cref="DirectoryOptions"/>: finds every error, not only the first.</summary>
internal static class DirectoryOptionsCheck
{
    private static readonly SearchValues<char> PrefixCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_");

    private static readonly SearchValues<char> NotInHost = SearchValues.Create("/@: ,[]");

    internal static IReadOnlyList<DirectoryOptionsError> Run(DirectoryOptions options, string section)
    {
        List<DirectoryOptionsError> errors = [];
        CheckConnection(options, section, errors);
        CheckKeeping(options, section, errors);
        CheckTimes(options, section, errors);
        return errors;
    }

    private static void CheckKeeping(DirectoryOptions options, string section, List<DirectoryOptionsError> errors)
    {
        if (!Durability.TryParse(options.Durability, out Durability durability))
        {
            errors.Add(new($"{section}:Durability", $"'{options.Durability}' is none of {Durability.Forms}.", $"Use {Durability.Forms}, with n from 1 to 9."));
        }

        if (durability.Kind != DurabilityKind.Memory && options.Endpoints.Count == 0)
        {
            errors.Add(new($"{section}:Durability", $"'{options.Durability}' is asked of a Redis, but {section}:Endpoints is empty.",
                $"Name a Redis in {section}:Endpoints, or remove the option."));
        }

        if (options.DataDirectory.Length > 0 && options.Endpoints.Count > 0)
        {
            errors.Add(new($"{section}:DataDirectory", "A folder and a Redis are both set.", $"Remove it, or {section}:Endpoints: sessions are kept in one place."));
        }

        if (options.Commit == DirectoryCommit.Always && options.DataDirectory.Length == 0)
        {
            errors.Add(new($"{section}:Commit", $"'always' is asked of a folder, but {section}:DataDirectory is empty.",
                $"Name a folder in {section}:DataDirectory, or with a Redis use {section}:Durability aof-always."));
        }

        if (options.SentinelMaster.Length > 0 && options.Endpoints.Count == 0)
        {
            errors.Add(new($"{section}:SentinelMaster", $"A master is named, but {section}:Endpoints is empty.",
                $"Name the sentinels (port 26379 by default) in {section}:Endpoints."));
        }
    }

    private static void CheckConnection(DirectoryOptions options, string section, List<DirectoryOptionsError> errors)
    {
        for (int i = 0; i < options.Endpoints.Count; i++)
        {
            string endpoint = options.Endpoints[i];
            if (!TrySplit(endpoint, out _, out _))
            {
                errors.Add(new($"{section}:Endpoints:{i}", $"'{endpoint}' is not host:port.",
                    "Write the host, a colon and a port of 1 to 65535, such as redis.example:6379; the password and TLS have options of their own."));
            }
        }

        if (!string.IsNullOrEmpty(options.User))
        {
            errors.Add(new($"{section}:User", "ACL user names are not supported by the Redis client in use.",
                $"Remove it and give the default user a password (requirepass) in {section}:Password."));
        }

        if (options.Prefix.Length is 0 or > 32 || options.Prefix.AsSpan().ContainsAnyExcept(PrefixCharacters))
        {
            errors.Add(new($"{section}:Prefix", $"'{options.Prefix}' cannot begin a key.", "Use 1 to 32 of a-z, 0-9, '-' and '_'."));
        }

        if (options.Database is < 0 or > 1_000_000)
        {
            errors.Add(new($"{section}:Database", $"{options.Database} is no database number.", "Use 0, or the number your Redis has (0 in a Cluster)."));
        }

        if (options.TlsCaFile is { Length: > 0 } file && !File.Exists(file))
        {
            errors.Add(new($"{section}:TlsCaFile", $"The file '{file}' is not there.", "Name a PEM file with the authority's certificates, or remove the option."));
        }

        if (!options.Tls && (options.TlsHost is { Length: > 0 } || options.TlsCaFile is { Length: > 0 }))
        {
            errors.Add(new($"{section}:Tls", "TlsHost or TlsCaFile is set, but TLS is off.", $"Set {section}:Tls to true, or remove them."));
        }
    }

    private static void CheckTimes(DirectoryOptions options, string section, List<DirectoryOptionsError> errors)
    {
        Range(nameof(options.ConnectDeadlineMs), options.ConnectDeadlineMs, 100, 60_000);
        Range(nameof(options.OperationDeadlineMs), options.OperationDeadlineMs, 50, 60_000);
        Range(nameof(options.SyncIntervalMs), options.SyncIntervalMs, 0, 3_600_000);
        Range(nameof(options.ReconnectMinMs), options.ReconnectMinMs, 10, 60_000);
        Range(nameof(options.ReconnectMaxMs), options.ReconnectMaxMs, options.ReconnectMinMs, 300_000);
        Range(nameof(options.LeaseMs), options.LeaseMs, 100, 3_600_000);
        Range(nameof(options.LeaseRaiseIntervalMs), options.LeaseRaiseIntervalMs, 20, 600_000);
        Range(nameof(options.RecoveringGraceMs), options.RecoveringGraceMs, 0, 3_600_000);
        Range(nameof(options.TakeOverDeadlineMs), options.TakeOverDeadlineMs, 50, 60_000);
        Range(nameof(options.ReplicaWaitMs), options.ReplicaWaitMs, 10, 60_000);
        Range(nameof(options.SubscriptionCheckIntervalMs), options.SubscriptionCheckIntervalMs, 50, 3_600_000);
        Range(nameof(options.MaxOutstanding), options.MaxOutstanding, 1, 1_000_000);
        Range(nameof(options.MaxTakeOvers), options.MaxTakeOvers, 1, 1_000_000);
        if (Durability.Of(options).Kind == DurabilityKind.Replicas && options.ReplicaWaitMs >= options.OperationDeadlineMs)
        {
            errors.Add(new($"{section}:ReplicaWaitMs",
                $"{options.ReplicaWaitMs} ms is not less than OperationDeadlineMs ({options.OperationDeadlineMs} ms), so replicas that lag would count as a hung connection.",
                "Use half of OperationDeadlineMs at most."));
        }

        if (options.LeaseRaiseIntervalMs * 3L > options.LeaseMs)
        {
            errors.Add(new($"{section}:LeaseRaiseIntervalMs",
                $"{options.LeaseRaiseIntervalMs} ms is more than a third of the lease ({options.LeaseMs} ms), so one late raise could kill a node.",
                "Use at most a third of LeaseMs."));
        }

        if (options.ReconnectMaxMs >= options.LeaseMs)
        {
            errors.Add(new($"{section}:ReconnectMaxMs",
                $"{options.ReconnectMaxMs} ms is not less than the lease ({options.LeaseMs} ms), so a node could be declared dead while it waits to connect again.",
                "Use less than LeaseMs, better half of it."));
        }

        void Range(string name, int value, int low, int high)
        {
            if (value < low || value > high)
            {
                errors.Add(new($"{section}:{name}", string.Create(CultureInfo.InvariantCulture, $"{value} is outside {low} to {high}."),
                    string.Create(CultureInfo.InvariantCulture, $"Use a number from {low} to {high}.")));
            }
        }
    }

    /// <summary>Splits host:port; an IPv6 host stands in brackets.</summary>
    internal static bool TrySplit(string endpoint, out string host, out int port)
    {
        host = "";
        port = 0;
        int colon = endpoint.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(endpoint.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65_535)
        {
            return false;
        }

        host = endpoint[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
            return host.Length > 0;
        }

        return host.AsSpan().IndexOfAny(NotInHost) < 0;
    }
}
