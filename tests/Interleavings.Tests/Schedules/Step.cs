namespace Trunkline.Interleavings;

/// <summary>What may happen next. A step that is not possible when its turn comes does nothing, so that steps can be left out.</summary>
internal enum StepKind
{
    /// <summary>A seat's loop takes one turn.</summary>
    Turn,

    /// <summary>Everybody runs until nothing is left to do at this time.</summary>
    Run,

    /// <summary>A: milliseconds; only the clock moves.</summary>
    Time,

    /// <summary>A: milliseconds; everybody runs meanwhile.</summary>
    Pass,

    /// <summary>A: milliseconds; everybody runs, but the directory answers nobody.</summary>
    DirectoryStands,

    /// <summary>
    /// A: milliseconds for which every node has lost its connection to the directory; then node B has one again, and the others
    /// C milliseconds later. Everybody runs meanwhile.
    /// </summary>
    DirectoryAway,

    /// <summary>The directory's clock goes back by A milliseconds.</summary>
    DirectoryClock,

    /// <summary>The directory does B calls of node A and answers them.</summary>
    Serve,

    /// <summary>The directory does the next call of node A, which does not hear of it yet.</summary>
    Apply,

    /// <summary>Node A gets its next answer.</summary>
    Answer,

    /// <summary>Node A loses its connection to the directory; B: what was not done is lost (0) or comes late (1).</summary>
    Cut,

    /// <summary>The late call number A takes effect.</summary>
    Late,

    /// <summary>A 1: no sweep of a dead node gets further than to the checkpoint it has read; A 0: they go on.</summary>
    HoldSweeps,

    /// <summary>The directory is emptied (A 0), or comes back empty, every connection to it lost (A 1); only while all devices are connected and their sessions held.</summary>
    EmptyDirectory,

    /// <summary>A message of another node reaches node A.</summary>
    Receive,

    /// <summary>Device A connects to node B.</summary>
    Connect,

    /// <summary>Device A's connection is cut.</summary>
    Drop,

    /// <summary>Device A disconnects in order.</summary>
    Leave,

    /// <summary>Device A subscribes one filter more.</summary>
    Subscribe,

    /// <summary>Device A publishes on topic B at QoS C.</summary>
    Publish,

    /// <summary>Device A answers B of the messages it owes an answer.</summary>
    AnswerSome,

    /// <summary>Device A answers at once (B 1), or only when told (B 0).</summary>
    AnswerAtOnce,

    /// <summary>Node A is killed; B: its calls on their way are lost (0) or come late (1).</summary>
    Kill,

    /// <summary>Node A is asked to stop: it sends its devices away, writes their sessions, and leaves.</summary>
    Drain,

    /// <summary>Node A is started again, as a new node.</summary>
    Start,

    /// <summary>Node A is held (SIGSTOP).</summary>
    Freeze,

    /// <summary>Node A goes on.</summary>
    Thaw,

    /// <summary>Group A's log makes durable what it has.</summary>
    Commit,

    /// <summary>Group A's broker is killed and starts again.</summary>
    RestartGroup,

    /// <summary>Node A's links to group B are reset.</summary>
    CutLink,
}

/// <summary>One thing that happens.</summary>
internal readonly record struct Step(StepKind Kind, int A = 0, int B = 0, int C = 0)
{
    public override string ToString() => $"new({nameof(StepKind)}.{Kind}, {A}, {B}, {C})";
}
