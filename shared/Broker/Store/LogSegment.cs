using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Trunkline.Broker;

/// <summary>
/// One file of the log. Records are only ever added at its end; it goes as a whole when retention has passed it.
/// </summary>
/// <remarks>
/// <code>
///   0         8       12      16    20    24             32       40           41     252  256
///   TRUNKLOG  schema  length  salt  zero  first ordinal  made at  name length  group  crc  records ...
/// </code>
/// The file appears under its name with its header whole. The salt is part of every checksum in it, so no payload can
/// hold a record that passes for one of the file's own.
/// </remarks>
internal sealed class LogSegment
{
    public const int HeaderBytes = 256;

    /// <summary>The newest schema this program knows: 2 has gaps. It reads older ones, and begins segments as 1.</summary>
    public const int Schema = 2;

    /// <summary>See <see cref="Synced"/>.</summary>
    public const int EarlierSynced = 1;

    private const int SchemaWithoutGaps = 1;

    private const int NameOffset = 41;
    private const int ChecksumOffset = 252;
    private const uint HeaderSeed = 0x54524E4B;
    private readonly byte[] _header;

    private LogSegment(string path, byte[] header)
    {
        Path = path;
        _header = header;
        Salt = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(16));
        FirstOrdinal = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(24));
        EndOrdinal = FirstOrdinal;
        Length = HeaderBytes;
        IsThinned = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8)) > SchemaWithoutGaps;
    }

    public string Path { get; }

    public long FirstOrdinal { get; }

    /// <summary>The number after its last message.</summary>
    public long EndOrdinal { get; set; }

    /// <summary>Bytes with the header, those not yet written included.</summary>
    public long Length { get; set; }

    /// <summary>
    /// Up to where it is known to be on the disk, all segments before it included; 0 for nothing,
    /// <see cref="EarlierSynced"/> for them alone.
    /// </summary>
    public long Synced { get; set; }

    /// <summary>When its newest message was appended, on the clock of the files; earlier runs count by their last message.</summary>
    public long NewestMs { get; set; }

    /// <summary>Whether one of its messages set or removed a retained one.</summary>
    public bool HasRetained { get; set; }

    /// <summary>Messages in it.</summary>
    public long Live { get; set; }

    /// <summary>What the tenants have in it.</summary>
    public TenantBytes Tenants { get; } = new();

    /// <summary>Whether it was written anew, with gaps.</summary>
    public bool IsThinned { get; }

    /// <summary>How often it could not be written anew.</summary>
    public int ThinningFailures { get; set; }

    /// <summary>When that is tried again at the earliest, on the loop's clock.</summary>
    public long ThinAgainMs { get; set; }

    /// <summary>Whether retention has passed it, or another is in its place.</summary>
    public bool IsDropped { get; set; }

    /// <summary>The open file; null until the first write made it.</summary>
    public SafeFileHandle? Handle { get; private set; }

    private uint Salt { get; }

    private static ReadOnlySpan<byte> Magic => "TRUNKLOG"u8;

    /// <summary>A segment that has no file yet.</summary>
    public static LogSegment Begin(GroupFolder folder, long firstOrdinal, long nowMs)
    {
        byte[] header = new byte[HeaderBytes];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), SchemaWithoutGaps);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), HeaderBytes);
        RandomNumberGenerator.Fill(header.AsSpan(16, 4));
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), firstOrdinal);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(32), nowMs);
        header[NameOffset - 1] = (byte)Encoding.UTF8.GetBytes(folder.Group, header.AsSpan(NameOffset));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(ChecksumOffset), Crc32C.Of(HeaderSeed, header.AsSpan(0, ChecksumOffset)));
        return new LogSegment(folder.SegmentFile(firstOrdinal), header);
    }

    /// <summary>What is to take this segment's place, with gaps.</summary>
    public LogSegment Thinned()
    {
        byte[] header = _header.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), Schema);
        RandomNumberGenerator.Fill(header.AsSpan(16, 4));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(ChecksumOffset), Crc32C.Of(HeaderSeed, header.AsSpan(0, ChecksumOffset)));
        return new LogSegment(Path, header) { HasRetained = HasRetained };
    }

    /// <summary>Reads the header of a file; null when it is damaged.</summary>
    /// <exception cref="StoreException">It is of a newer schema, or of another group.</exception>
    public static LogSegment? TryRead(string path, ReadOnlySpan<byte> bytes, string group)
    {
        if (bytes.Length < HeaderBytes || !bytes.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumOffset..]) != Crc32C.Of(HeaderSeed, bytes[..ChecksumOffset]))
        {
            return null;
        }

        int schema = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        if (schema > Schema)
        {
            throw new StoreException(
                $"{path} was written by a newer version (schema {schema}; this one knows {Schema}): start that version, or set Broker:DataDirectory to another folder.");
        }

        string owner = Encoding.UTF8.GetString(bytes.Slice(NameOffset, int.Min(bytes[NameOffset - 1], ChecksumOffset - NameOffset)));
        return owner == group
            ? new LogSegment(path, bytes[..HeaderBytes].ToArray())
            : throw new StoreException($"{path} belongs to group '{owner}', not to '{group}': set Broker:DataDirectory to the folder of this group.");
    }

    /// <summary>What the checksum of a record at a place begins with.</summary>
    public uint SeedAt(long offset) => Salt ^ (uint)((ulong)offset * 0x9E3779B97F4A7C15 >> 32);

    /// <summary>Opens a file that is there.</summary>
    public void Open() =>
        Handle = File.OpenHandle(Path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);

    /// <summary>Takes the place of the file of its name whole, and is durable when it returns. On a thread that may wait.</summary>
    public void Replace(StoreDisk disk, ReadOnlySpan<byte> records)
    {
        byte[] bytes = new byte[HeaderBytes + records.Length];
        _header.CopyTo(bytes, 0);
        records.CopyTo(bytes.AsSpan(HeaderBytes));
        Handle = disk.Create(Path, bytes, isDurable: true);
    }

    /// <summary>Makes the file if it is not there yet. On the thread that writes.</summary>
    public void Make(StoreDisk disk, bool isDurable) => Handle ??= disk.Create(Path, _header, isDurable);

    /// <summary>Returns when what was written to it is on the disk. On a thread that may wait.</summary>
    public void Flush(StoreDisk disk)
    {
        try
        {
            disk.Flush(Handle!);
        }
        catch (ObjectDisposedException)
        {
            // Retention dropped it meanwhile: nothing of it needs to be kept.
        }
    }

    /// <summary>Closes and deletes the file. Where nobody reads it any more.</summary>
    public void Delete()
    {
        Close();
        File.Delete(Path);
    }

    public void Close() => Handle?.Dispose();
}
