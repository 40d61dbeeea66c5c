using Trunkline.Transports;

namespace Trunkline.Links;

/// <content>Retained messages of a foreign broker that sessions have not taken yet.</content>
internal sealed partial class GroupReceiver
{
    /// <summary>Whether retained messages that sessions have not taken keep the replay connection from being read. Any thread.</summary>
    public bool IsReplayHeldUp => _replay!.IsHeldUp;

    /// <summary>A session has taken a page of a replay, or will not. On the session's loop.</summary>
    public void GiveBackPage(FilterRequest page)
    {
        if (page.Page is not { Length: > 0 } bytes)
        {
            return;
        }

        if (IsHome(page.Loop))
        {
            _replay!.GiveBack(bytes.Length);
        }
        else
        {
            Loop.Post(new PageBack(_replay!, bytes.Length));
        }
    }

    private sealed class PageBack(ReplayLink replay, int bytes) : LoopWork
    {
        protected override void Run() => replay.GiveBack(bytes);
    }
}
