using System.Globalization;
using System.Net;
using System.Text;

namespace Trunkline.Loadtest;

/// <summary>Draws a plot as inline SVG: no script, nothing from elsewhere.</summary>
internal static class SvgPlot
{
    private const int Width = 720, Height = 260, Left = 70, Right = 12, Top = 28, Bottom = 40;
    private const int Marks = 5;

    private static readonly double[] RoundSteps = [1, 2, 5, 10, 20];

    // Told apart without red against green.
    private static readonly string[] Colors = ["#0b6bcb", "#d9590b", "#6a3fb5", "#2a8f5c", "#b5366f", "#7a6a00", "#00808a", "#555555"];

    /// <summary>Draws it; nothing when there are no points.</summary>
    public static string Draw(Plot plot)
    {
        (double X, double Y)[] all = [.. plot.Lines.SelectMany(line => line.Points)];
        if (all.Length == 0)
        {
            return "";
        }

        double xMin = all.Min(point => point.X);
        double xMax = Math.Max(all.Max(point => point.X), xMin + 1e-9);
        IReadOnlyList<double> yMarks = plot.IsLogY ? LogMarks(all) : EvenMarks(all.Max(point => point.Y));
        double yMin = yMarks[0];
        double yMax = yMarks[^1];
        double PlaceX(double x) => Left + ((x - xMin) / (xMax - xMin) * (Width - Left - Right));
        double PlaceY(double y)
        {
            double share = plot.IsLogY
                ? (Math.Log10(Math.Max(y, yMin)) - Math.Log10(yMin)) / (Math.Log10(yMax) - Math.Log10(yMin))
                : (y - yMin) / (yMax - yMin);
            return Height - Bottom - (share * (Height - Top - Bottom));
        }

        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<figure><svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Text(plot.Title)}\">");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"16\" class=\"t\">{Text(plot.Title)}</text>");
        foreach (double mark in yMarks)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{PlaceY(mark):0.#}\" y2=\"{PlaceY(mark):0.#}\" class=\"g\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 6}\" y=\"{PlaceY(mark) + 4:0.#}\" class=\"y\">{Text(plot.YText(mark))}</text>");
        }

        foreach (double mark in XMarks(plot, xMin, xMax))
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{PlaceX(mark):0.#}\" y=\"{Height - Bottom + 16}\" class=\"x\">{Text(plot.XText(mark))}</text>");
        }

        for (int i = 0; i < plot.Lines.Count; i++)
        {
            Append(svg, plot.Lines[i], Colors[i % Colors.Length], PlaceX, PlaceY);
        }

        return svg.Append("</svg>").Append(Legend(plot)).Append("</figure>\n").ToString();
    }

    private static void Append(StringBuilder svg, PlotLine line, string color, Func<double, double> placeX, Func<double, double> placeY)
    {
        if (line.Points.Count == 1)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{placeX(line.Points[0].X):0.#}\" cy=\"{placeY(line.Points[0].Y):0.#}\" r=\"3\" fill=\"{color}\"/>");
            return;
        }

        svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"1.6\" points=\"");
        foreach ((double x, double y) in line.Points)
        {
            svg.Append(CultureInfo.InvariantCulture, $"{placeX(x):0.#},{placeY(y):0.#} ");
        }

        svg.Append("\"/>");
    }

    private static string Legend(Plot plot) => plot.Lines.Count < 2 ? "" : "<figcaption>" + string.Concat(plot.Lines.Select((line, i) =>
        $"<span><i style=\"background:{Colors[i % Colors.Length]}\"></i>{Text(line.Name)}</span> ")) + "</figcaption>";

    private static IEnumerable<double> XMarks(Plot plot, double from, double to) => plot.XMarks.Count > 0
        ? plot.XMarks.Where(mark => mark >= from - 1e-9 && mark <= to + 1e-9)
        : Enumerable.Range(0, Marks + 1).Select(i => from + ((to - from) * i / Marks));

    /// <summary>0 and round steps up to the largest.</summary>
    private static IReadOnlyList<double> EvenMarks(double largest)
    {
        double rough = Math.Max(largest, 1e-9) / Marks;
        double power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = RoundSteps.Select(factor => factor * power).First(candidate => candidate >= rough * 0.999999);
        int count = Math.Max(1, (int)Math.Ceiling((largest / step) - 1e-9));
        return [.. Enumerable.Range(0, count + 1).Select(i => i * step)];
    }

    /// <summary>Powers of ten around all positive values.</summary>
    private static IReadOnlyList<double> LogMarks((double X, double Y)[] points)
    {
        double[] positive = [.. points.Select(point => point.Y).Where(y => y > 0).DefaultIfEmpty(1)];
        int from = (int)Math.Floor(Math.Log10(positive.Min()));
        int to = Math.Max((int)Math.Ceiling(Math.Log10(positive.Max())), from + 1);
        return [.. Enumerable.Range(from, to - from + 1).Select(power => Math.Pow(10, power))];
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
