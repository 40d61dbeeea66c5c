namespace Trunkline.Tool.Chaos;

/// <summary>As of which build a part that was killed or stopped comes back, in a tier of two builds.</summary>
internal enum ComesBack
{
    /// <summary>As of the one it was of.</summary>
    Same,

    /// <summary>As of ours: an upgrade, part by part.</summary>
    Ours,

    /// <summary>As of the one it was not of: upgrades and returns.</summary>
    Swapped,
}
