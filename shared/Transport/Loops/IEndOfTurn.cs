namespace Trunkline.Transports;

/// <summary>Something that gathers during a turn and acts once at its end, before output is sent.</summary>
public interface IEndOfTurn
{
    /// <summary>Acts; called once per <see cref="Loop.AtEndOfTurn"/>. The item keeps its own "is listed" flag and clears it here.</summary>
    void OnEndOfTurn();
}
