namespace Trunkline.Loadtest;

/// <summary>Kinds of value a threshold can have.</summary>
internal enum ThresholdUnit
{
    /// <summary>A plain number, a rate or bytes.</summary>
    Number,

    /// <summary>A time, in microseconds.</summary>
    Time,

    /// <summary>A share of what was expected, 0 to 1.</summary>
    Share,
}
