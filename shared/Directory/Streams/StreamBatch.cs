using Trunkline.Sessions;

namespace Trunkline.Directory;

/// <summary>One message for a group's stream.</summary>
/// <param name="Data">What is kept; the stream does not look into it.</param>
/// <param name="Id">
/// The message's own id when it may have been appended before under another producer's number (a QoS 2 message sent again
/// through another node, a will), else null. <c>producer#number</c> names what a producer's number names.
/// </param>
public readonly record struct StreamEntry(byte[] Data, string? Id = null);

/// <summary>Messages of one producer in one step, with consecutive numbers.</summary>
/// <param name="Producer">Who appends: node and link. One producer appends one batch after the other, several may be under way.</param>
/// <param name="Confirmed">The last of its numbers that it knows to be appended; 0 for none.</param>
/// <param name="First">The number of the first entry.</param>
/// <param name="Entries">The messages.</param>
/// <param name="Known">The highest position that the producer has seen: a stream that lost its past goes above it.</param>
public sealed record StreamBatch(string Producer, ulong Confirmed, ulong First, IReadOnlyList<StreamEntry> Entries, LogPosition Known);

/// <summary>What became of a <see cref="StreamBatch"/> that the stream answered.</summary>
/// <param name="IsGap">Nothing was appended, for a batch before it is missing: append again from the one after <paramref name="Last"/>.</param>
/// <param name="Last">The producer's last number in the stream.</param>
/// <param name="End">Position of the last message of the stream; <see cref="LogPosition.None"/> where it is not known.</param>
/// <param name="Added">Messages that were new.</param>
public readonly record struct StreamAppended(bool IsGap, ulong Last, LogPosition End, int Added);

/// <summary>A message read from a group's stream.</summary>
/// <param name="Position">Its stream id: milliseconds as term, one more than the sequence as offset, for offsets count from 1.</param>
/// <param name="Data">What was appended; empty where the entry has not the field it should have.</param>
public readonly record struct StreamMessage(LogPosition Position, ReadOnlyMemory<byte> Data);

/// <summary>Messages of a group's stream in their order.</summary>
/// <param name="Messages">The messages; empty at the end.</param>
/// <param name="HasMore">Whether more were there at once.</param>
/// <param name="IsLossy">Whether messages after the asked position were trimmed before this read.</param>
/// <param name="Left">Messages behind the page, at most: an estimate by bytes; 0 at the end, and where a read waited.</param>
public sealed record StreamPage(IReadOnlyList<StreamMessage> Messages, bool HasMore, bool IsLossy, long Left);
