using Trunkline.Protocol;

namespace Trunkline.Links;

/// <summary>Who uses a <see cref="LinkConnection"/>. Every call comes on its loop.</summary>
internal interface ILinkOwner
{
    /// <summary>The broker accepted. A sentence refuses it again: the connection closes with it.</summary>
    string? OnOpened(LinkConnection connection, LinkPeer peer);

    /// <summary>A packet came. A sentence closes the connection.</summary>
    string? OnPacket(LinkConnection connection, in Frame frame);

    /// <summary>The broker takes bytes again.</summary>
    void OnWritable(LinkConnection connection);

    /// <summary>The connection is gone, or never came to be; called once.</summary>
    void OnClosed(LinkConnection connection, string reason);
}

/// <summary>As whom a link connects.</summary>
/// <param name="ClientId">Its client identifier.</param>
/// <param name="UserName">User name, or null.</param>
/// <param name="Password">Password, or null.</param>
/// <param name="Announcement">The value of <c>tl</c> in CONNECT, or null.</param>
internal sealed record LinkIdentity(byte[] ClientId, byte[]? UserName, byte[]? Password, byte[]? Announcement);
