using Trunkline.Directory;
using Trunkline.Links;

namespace Trunkline.Proxy;

/// <summary>Lets links use a Redis stream as the log of their foreign group. Any thread.</summary>
internal sealed class ForeignLog(GroupStream stream) : IForeignLog
{
    /// <summary>The stream behind it.</summary>
    public GroupStream Stream { get; } = stream;

    /// <inheritdoc/>
    public bool IsConnected => Stream.IsConnected;

    /// <inheritdoc/>
    public string Fault => Stream.Fault;

    /// <inheritdoc/>
    public long NowMs => Stream.ServerNowMs;

    /// <inheritdoc/>
    public void Append(LogAppend append)
    {
        var entries = new StreamEntry[append.Entries.Count];
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = new StreamEntry(append.Entries[i].Data, append.Entries[i].Id);
        }

        Stream.AppendAsync(new StreamBatch(append.Producer, append.Confirmed, append.First, entries, append.Known))
            .Then(append, static (append, result) =>
            {
                append.IsGap = result.Value.IsGap;
                append.End = result.Value.End;
                Complete(append, result.WithoutValue());
            });
    }

    /// <inheritdoc/>
    public void Read(LogRead read)
    {
        if (read.Kind == LogReadKind.End)
        {
            Stream.ReadEndAsync().Then(read, static (read, result) =>
            {
                read.End = result.Value;
                Complete(read, result.WithoutValue());
            });
            return;
        }

        ValueTask<DirectoryResult<StreamPage>> call = read.Kind switch
        {
            LogReadKind.Wait => Stream.AwaitAsync(read.After),
            LogReadKind.At => Stream.ReadAtAsync(read.Positions, read.MaximumBytes),
            _ => Stream.ReadAsync(read.After, read.MaximumBytes),
        };
        call.Then(read, static (read, result) =>
        {
            if (result.IsOk)
            {
                read.Messages = [.. result.Value.Messages.Select(message => (message.Position, message.Data))];
                read.HasMore = result.Value.HasMore;
                read.IsLossy = result.Value.IsLossy;
                read.Left = result.Value.Left;
                read.Looked = read.Kind == LogReadKind.At ? read.Positions.Count - (int)result.Value.Left : 0;
            }

            Complete(read, result.WithoutValue());
        });
    }

    private static void Complete(LogCall call, DirectoryResult result)
    {
        call.IsOk = result.IsOk;
        call.Fault = result.Detail;
        call.Complete();
    }
}
