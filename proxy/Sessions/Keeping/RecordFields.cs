using Trunkline.Directory;
using Trunkline.Sessions;

namespace Trunkline.Proxy;

/// <summary>Between the fields that sessions write and those the directory keeps: the same names and bytes.</summary>
internal static class RecordFields
{
    public static IReadOnlyList<SessionField> ToDirectory(IReadOnlyList<StoredField> fields)
    {
        var mapped = new SessionField[fields.Count];
        for (int i = 0; i < mapped.Length; i++)
        {
            mapped[i] = new SessionField(fields[i].Name, fields[i].Value);
        }

        return mapped;
    }

    public static IEnumerable<StoredField> ToSession(IReadOnlyList<SessionField> fields) =>
        fields.Select(field => new StoredField(field.Name, field.Value));

    /// <summary>The whole session as this node has it, to replace what a directory that forgot has; null when a claim is all there is.</summary>
    public static SessionChange? Whole(Session session)
    {
        SessionState state = session.Export();
        if (session.ExpirySeconds == 0)
        {
            return state.Will is null ? null : new SessionChange
            {
                Sets = ToDirectory([SessionStateCodec.Encode(state.Will)]),
                WillDelaySeconds = state.Will.DelaySeconds,
            };
        }

        return new SessionChange
        {
            Sets = ToDirectory(SessionStateCodec.Encode(state)),
            ExpirySeconds = session.ExpirySeconds,
            WillDelaySeconds = state.Will?.DelaySeconds,
        };
    }
}
