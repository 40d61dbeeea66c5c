namespace Trunkline.SystemTests.Infrastructure;

/// <summary>A test of a tier with everything in it: Redis, nginx, Mosquitto.</summary>
public sealed class TierFactAttribute : FactAttribute
{
    public TierFactAttribute() => Skip = new ProgramsFactAttribute("redis-server", "nginx", "mosquitto").Skip;
}
