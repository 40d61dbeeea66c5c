using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Trunkline.Protocol;

/// <summary>
/// Optional text and data are spans: the null span (<c>default</c>) is absent, any other, also an empty one, is present.
/// It costs no flag and the two cannot disagree.
/// </summary>
internal static class Presence
{
    public static bool IsPresent(ReadOnlySpan<byte> value) => !Unsafe.IsNullRef(ref MemoryMarshal.GetReference(value));
}
