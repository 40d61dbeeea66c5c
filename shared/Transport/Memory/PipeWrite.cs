namespace Trunkline.Transports;

/// <summary>What follows from a write into a <see cref="MemoryPipe"/>.</summary>
internal enum PipeWrite
{
    Done,
    TellReader,
    ReaderGone,
}
