using Trunkline.Protocol;

namespace Trunkline.Interleavings;

/// <content>The steps.</content>
internal sealed partial class ModelTier
{
    /// <summary>One step; nothing when it is not possible now.</summary>
    public void Do(in Step step)
    {
        Ledger.Story?.Add($"{step}");
        switch (step.Kind)
        {
            case StepKind.Turn:
                if (Seats[step.A].HasWork)
                {
                    Seats[step.A].Turn();
                }

                break;
            case StepKind.Run:
                Run();
                break;
            case StepKind.Time:
                Advance(step.A);
                break;
            case StepKind.Pass:
                Pass(step.A);
                break;
            case StepKind.DirectoryStands:
                Pass(step.A, servesDirectory: false);
                break;
            case StepKind.DirectoryAway:
                DirectoryAway(step);
                break;
            case StepKind.DirectoryClock:
                DirectoryTime.GoBack(step.A);
                break;
            case StepKind.HoldSweeps:
                HoldSweeps(step.A == 1);
                break;
            case StepKind.EmptyDirectory when Devices.All(IsHeld):
                Memory.Empty();
                foreach (ModelNode? each in step.A == 1 ? _nodes : [])
                {
                    each?.Store.Cut(comesLate: false);
                }

                break;
            case StepKind.Connect when _nodes[step.B] is { IsServing: true } node:
                Devices[step.A].Connect(node);
                break;
            case StepKind.Drop:
                Devices[step.A].Drop();
                break;
            case StepKind.Leave:
                Devices[step.A].Leave();
                break;
            case StepKind.Subscribe:
                Devices[step.A].SubscribeMore();
                break;
            case StepKind.Publish:
                Devices[step.A].Publish(Settings.Topics[step.B], (QoS)step.C);
                break;
            case StepKind.AnswerSome:
                Devices[step.A].Answer(step.B);
                break;
            case StepKind.AnswerAtOnce:
                Devices[step.A].AnswersAtOnce = step.B == 1;
                break;
            case StepKind.Late when step.A < Late.Count:
                StoreCall late = Late[step.A];
                Late.RemoveAt(step.A);
                late.Apply();
                break;
            case StepKind.Commit:
                Groups[step.A].Log.Commit();
                break;
            case StepKind.RestartGroup:
                if (!Settings.GroupsKeep)
                {
                    Ledger.Forgive();
                }

                Groups[step.A].Restart();
                break;
            case StepKind.Start when _nodes[step.A] is null:
                StartNode(step.A);
                break;
            default:
                if (step.Kind is not (StepKind.Start or StepKind.Late or StepKind.Connect or StepKind.EmptyDirectory) && _nodes[step.A] is { } target)
                {
                    Do(step, target);
                }

                break;
        }

        foreach (ModelNode? node in Without == Rule.IdsWaitForRecord ? _nodes : [])
        {
            node?.FreeIds();
        }
    }

    /// <summary>
    /// All faults end, everybody comes back and answers, and time goes by until everything that has to come has come, or
    /// for a minute.
    /// </summary>
    public void Settle()
    {
        Late.Clear();
        HoldSweeps(false);
        for (int second = 0; second < 60; second++)
        {
            for (int slot = 0; slot < _nodes.Length; slot++)
            {
                Mend(slot);
            }

            for (int n = 0; n < Devices.Count; n++)
            {
                ModelDevice device = Devices[n];
                device.AnswersAtOnce = true;
                device.Answer(int.MaxValue);
                device.GiveUpHopeless();
                if (Settings.FiltersComeLater && !device.IsSubscribed)
                {
                    device.SubscribeMore();
                }

                if (device.Connection is null && _nodes[(n + second) % _nodes.Length] is { IsServing: true } node)
                {
                    device.Connect(node);
                }
            }

            Pass(1_000);
            if (second > 2 && Ledger.Violations.Count > 0)
            {
                return;
            }

            if (Devices.All(device => device is { IsOnline: true, HasOutgoing: false, IsSubscribed: true }) && Ledger.IsComplete)
            {
                Pass(2_500);
                break;
            }
        }

        foreach (ModelDevice device in Devices.Where(device => device is not { IsOnline: true, HasOutgoing: false, IsSubscribed: true }))
        {
            Ledger.Violate($"{device.ClientId} did not settle: online {device.IsOnline}, messages unacknowledged {device.HasOutgoing}, subscribed {device.IsSubscribed}");
        }

        Ledger.JudgeEnd();
    }

    /// <summary>
    /// Whether a living node holds the device's session. One that was given up and not claimed yet is an offline one, whose
    /// device does not know: an emptied directory loses it (ADR 0007, Known limits).
    /// </summary>
    private bool IsHeld(ModelDevice device) =>
        device is { IsOnline: true, Connection.Node: { IsGone: false, IsDeclaredDead: false } }
        && Memory.Contents.Records.Find(device.ClientId)?.Header is null or { IsHeld: true };

    private void HoldSweeps(bool holds)
    {
        _holdsSweeps = holds;
        foreach (ModelNode? node in _nodes)
        {
            node?.Store.HoldsSweeps = holds;
        }
    }

    private void DirectoryAway(in Step step)
    {
        ModelNode[] nodes = [.. _nodes.OfType<ModelNode>()];
        Array.ForEach(nodes, node => node.Store.Lose());
        Pass(step.A);
        ModelNode first = nodes[step.B % nodes.Length];
        first.Store.Reconnect();
        Pass(step.C);
        Array.ForEach(nodes, node => node.Store.Reconnect());
    }

    private void Mend(int slot)
    {
        if (_nodes[slot] is { IsFrozen: true } frozen)
        {
            frozen.Seat.IsRunning = true;
        }

        if (_nodes[slot] is { MayLeave: true } left)
        {
            left.Leave();
            _nodes[slot] = null;
        }

        if (_nodes[slot] is { IsDeclaredDead: true } dead)
        {
            dead.Vanish(callsComeLate: false);
            _nodes[slot] = null;
        }

        if (_nodes[slot] is null)
        {
            StartNode(slot);
        }
    }

    private void Do(in Step step, ModelNode node)
    {
        switch (step.Kind)
        {
            case StepKind.Serve when !node.IsFrozen:
                Serve(node, step.B);
                break;
            case StepKind.Apply:
                node.Store.Apply();
                break;
            case StepKind.Answer:
                node.Store.Answer();
                break;
            case StepKind.Cut:
                node.Store.Cut(step.B == 1);
                break;
            case StepKind.Receive:
                node.Store.Receive();
                break;
            case StepKind.Kill when node.MayLeave:
                node.Leave();
                _nodes[step.A] = null;
                break;
            case StepKind.Kill:
                node.Vanish(step.B == 1);
                _nodes[step.A] = null;
                break;
            case StepKind.Drain when node.IsServing:
                // What broke just before, and what was left open elsewhere, may look to the node as if it sent it away.
                foreach (ModelDevice device in Devices)
                {
                    device.SentAwayBy(node);
                }

                node.Drain();
                break;
            case StepKind.Freeze:
                node.Seat.IsRunning = false;
                break;
            case StepKind.Thaw:
                node.Seat.IsRunning = true;
                break;
            case StepKind.CutLink when !node.IsFrozen:
                node.CutLink(step.B);
                break;
        }
    }
}
