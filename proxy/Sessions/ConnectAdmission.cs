using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>
/// Lets in only as many CONNECTs a second, and as many claims at a time, as the options say, before anything is asked of the
/// directory: a storm of reconnects is spread over time by cheap refusals. One per loop, with the loop's share. Loop thread
/// only.
/// </summary>
/// <remarks>A bucket of tokens that fills with time and holds one second's worth, so that a burst after quiet is let in whole.</remarks>
internal sealed class ConnectAdmission
{
    private readonly Loop _loop;
    private readonly double _perMs;
    private readonly double _most;
    private readonly int _claims;
    private double _tokens;
    private long _filledMs;

    /// <summary>Makes the share of one loop; everything is split evenly, rounded up.</summary>
    public ConnectAdmission(Loop loop, AdmissionOptions options, int loops)
    {
        _loop = loop;
        _most = options.ConnectsPerSecond / (double)loops;
        _perMs = _most / 1000;
        _most = double.Max(1, _most);
        MaximumTries = options.MaximumClaimTries;
        _claims = (options.MaximumClaims + loops - 1) / loops;
        _tokens = _most;
        _filledMs = loop.NowMs;
    }

    /// <summary>Claims of one attempt: with each, another node was quicker. A device that is in so many places at once may wait.</summary>
    public int MaximumTries { get; }

    /// <summary>Asks for one CONNECT.</summary>
    /// <param name="claims">Claims under way now.</param>
    /// <param name="counters">Counts a refusal.</param>
    /// <returns>Success, or the code and sentence to refuse it with.</returns>
    public (ReasonCode Reason, string Detail) Ask(int claims, KeeperCounters counters)
    {
        if (claims >= _claims)
        {
            counters.Add(KeeperCounter.RefusedByClaims);
            return (ReasonCode.QuotaExceeded, "This node has Admission:MaximumClaims connections under way; try again a little later.");
        }

        if (_perMs > 0 && !TakeToken())
        {
            counters.Add(KeeperCounter.RefusedByRate);
            return (ReasonCode.ConnectionRateExceeded, "More devices connect than Admission:ConnectsPerSecond; try again a little later.");
        }

        return (ReasonCode.Success, "");
    }

    private bool TakeToken()
    {
        long now = _loop.NowMs;
        _tokens = double.Min(_most, _tokens + ((now - _filledMs) * _perMs));
        _filledMs = now;
        if (_tokens < 1)
        {
            return false;
        }

        _tokens--;
        return true;
    }
}
