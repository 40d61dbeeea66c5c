namespace Trunkline.Broker;

/// <summary>A group's folder cannot be used as it is; the message is a sentence that says why and what to do.</summary>
public sealed class StoreException : Exception
{
    /// <summary>Carries the sentence.</summary>
    public StoreException(string message)
        : base(message)
    {
    }

    /// <summary>Carries the sentence and its cause.</summary>
    public StoreException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
