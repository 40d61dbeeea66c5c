namespace Trunkline.Directory;

/// <summary>The folder in <see cref="DirectoryOptions.DataDirectory"/> cannot be used; the message is a sentence that says why and what to do.</summary>
public sealed class DirectoryDataException(string sentence, Exception? cause = null) : IOException(sentence, cause);
