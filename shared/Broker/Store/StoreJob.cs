using System.Collections.Concurrent;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// Work that may wait for the disk: done on a thread of the store, then its loop is told (<see cref="LoopWork.Run"/>).
/// One at a time per job.
/// </summary>
internal abstract class StoreJob : LoopWork
{
    /// <summary>Why it failed; null when it did not.</summary>
    public Exception? Error { get; private set; }

    /// <summary>Does the work; failures of the disk become <see cref="Error"/>.</summary>
    public void Execute()
    {
        try
        {
            Work();
            Error = null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Error = exception;
        }
    }

    /// <summary>The work; off the loop.</summary>
    protected abstract void Work();
}

/// <summary>One thread that does jobs in order and posts each to the loop when it is done. Given jobs by the loop.</summary>
internal sealed class StoreThread(string name, Loop loop) : IDisposable
{
    private readonly ConcurrentQueue<StoreJob> _jobs = new();
    private readonly AutoResetEvent _wake = new(false);
    private Thread? _thread;
    private volatile bool _stops;
    private int _underWay;

    /// <summary>Whether all jobs were done and posted to the loop.</summary>
    public bool IsIdle => Volatile.Read(ref _underWay) == 0;

    /// <summary>Queues a job. After <see cref="Dispose"/> it is not done.</summary>
    public void Do(StoreJob job)
    {
        if (_stops)
        {
            return;
        }

        Interlocked.Increment(ref _underWay);
        _jobs.Enqueue(job);
        if (_thread is null)
        {
            _thread = new Thread(Run) { Name = name, IsBackground = true };
            _thread.Start();
        }

        _wake.Set();
    }

    /// <summary>Ends the thread when what is queued is done, and waits for that.</summary>
    public void Dispose()
    {
        if (_stops)
        {
            return;
        }

        _stops = true;
        _wake.Set();
        _thread?.Join();
        _wake.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            while (_jobs.TryDequeue(out StoreJob? job))
            {
                job.Execute();
                loop.Post(job);
                Interlocked.Decrement(ref _underWay);
            }

            if (_stops)
            {
                return;
            }

            _wake.WaitOne();
        }
    }
}
