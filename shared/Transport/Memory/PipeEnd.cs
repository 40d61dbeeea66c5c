namespace Trunkline.Transports;

/// <summary>Whether more may come out of a <see cref="MemoryPipe"/>.</summary>
internal enum PipeEnd
{
    Open,
    Ended,
    Aborted,
}
