namespace Trunkline.Directory;

/// <summary>One of many writes that are sent together.</summary>
/// <param name="ClientId">The client id.</param>
/// <param name="Token">The token under which it is written.</param>
/// <param name="Change">What changes.</param>
public readonly record struct SessionWrite(string ClientId, SessionToken Token, SessionChange Change);
