namespace Trunkline.Interleavings;

/// <summary>
/// Makes a broken history short: leaves out pieces of it, large ones first, as long as it stays broken (delta debugging).
/// Within a number of replays, so that a failing test ends.
/// </summary>
internal static class Shrinker
{
    public const int Replays = 600;

    public static History Shrink(History broken, int replays = Replays)
    {
        History best = broken;
        int piece = broken.Steps.Count / 2;
        while (piece > 0 && replays > 0)
        {
            bool isShorter = false;
            for (int from = 0; from < best.Steps.Count && replays > 0;)
            {
                Step[] less = [.. best.Steps.Take(from), .. best.Steps.Skip(from + piece)];
                History tried = History.Replay(best.Settings, best.Without, less);
                replays--;
                if (tried.IsBroken && tried.Kind == broken.Kind)
                {
                    best = tried;
                    isShorter = true;
                }
                else
                {
                    from += piece;
                }
            }

            piece = isShorter && piece <= best.Steps.Count / 2 ? piece : piece / 2;
        }

        return best;
    }
}
