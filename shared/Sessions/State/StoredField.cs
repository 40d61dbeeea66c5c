namespace Trunkline.Sessions;

/// <summary>
/// One named field of a stored session: what a directory keeps without understanding it. Names are short text
/// (<see cref="SessionStateCodec"/> has the list), values opaque bytes.
/// </summary>
/// <param name="Name">The field's name.</param>
/// <param name="Value">Its bytes; not changed after it was made.</param>
public readonly record struct StoredField(string Name, ReadOnlyMemory<byte> Value);
