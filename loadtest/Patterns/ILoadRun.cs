namespace Trunkline.Loadtest;

/// <summary>The course of a run; what it finds is in the loops' figures and the watch.</summary>
internal interface ILoadRun
{
    /// <summary>Clients asked for.</summary>
    int Clients { get; }

    /// <summary>Runs until its end or the user's signal, then leaves everything disconnected.</summary>
    Task RunAsync(CancellationToken stop);
}
