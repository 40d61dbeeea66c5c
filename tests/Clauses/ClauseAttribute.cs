namespace Trunkline.Clauses;

/// <summary>The OASIS specification a statement identifier belongs to: the two number theirs independently.</summary>
public enum Specification
{
    /// <summary>MQTT Version 3.1.1.</summary>
    Mqtt311,

    /// <summary>MQTT Version 5.0.</summary>
    Mqtt50,
}

/// <summary>
/// Names the normative statements a test holds. docs/CONFORMANCE.md lists every statement with its tests, and a tidy
/// test compares both ways, so that neither can drift.
/// </summary>
/// <param name="specification">The specification the identifiers belong to.</param>
/// <param name="identifiers">Statement identifiers without brackets, e.g. <c>MQTT-4.4.0-1</c>.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class, AllowMultiple = true)]
public sealed class ClauseAttribute(Specification specification, params string[] identifiers) : Attribute
{
    /// <summary>The specification the identifiers belong to.</summary>
    public Specification Specification { get; } = specification;

    /// <summary>The statement identifiers.</summary>
    public IReadOnlyList<string> Identifiers { get; } = identifiers;
}
