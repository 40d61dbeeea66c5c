namespace Trunkline.SystemTests.Infrastructure;

/// <summary>A hundred ports for one test.</summary>
public sealed class TestPorts : IDisposable
{
    private readonly PortBlock _block = PortBlock.Take();

    private TestPorts()
    {
    }

    /// <summary>The first of the hundred.</summary>
    public int Base => _block.Base;

    public static TestPorts Take() => new();

    public void Dispose() => _block.Dispose();
}
