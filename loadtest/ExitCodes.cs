namespace Trunkline.Loadtest;

/// <summary>What the program exits with.</summary>
internal static class ExitCodes
{
    /// <summary>Ran, and every threshold was kept.</summary>
    public const int Success = 0;

    /// <summary>Could not run: nothing connected, a file could not be written.</summary>
    public const int Failure = 1;

    /// <summary>Arguments that make no sense.</summary>
    public const int Usage = 2;

    /// <summary>A threshold was missed.</summary>
    public const int ThresholdMissed = 99;
}
