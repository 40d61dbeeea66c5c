namespace Trunkline.Tidy.Tests.Source;

/// <summary>
/// C# text with its comments and the contents of its literals blanked out, every other character and every line break
/// in place, so that a pattern finds code only and its offset still gives the line.
/// </summary>
internal sealed class SourceText
{
    private readonly string _text;
    private readonly char[] _code;
    private int _at;

    private SourceText(string text)
    {
        _text = text;
        _code = text.ToCharArray();
    }

    /// <summary>The code of a text.</summary>
    public static string CodeOf(string text)
    {
        var source = new SourceText(text);
        source.Code(insideHole: false);
        return new string(source._code);
    }

    /// <summary>The code of a file of the repository.</summary>
    public static string CodeOfFile(string relative) => CodeOf(File.ReadAllText(Repository.FullPath(relative)));

    /// <summary>The line, from 1, of an offset.</summary>
    public static int LineOf(string text, int offset) => text.AsSpan(0, offset).Count('\n') + 1;

    private char Peek(int ahead = 0) => _at + ahead < _text.Length ? _text[_at + ahead] : '\0';

    // Reads code until the text ends, or, in a hole of an interpolated string, until the brace that closes the hole.
    private void Code(bool insideHole)
    {
        var depth = 0;
        while (_at < _text.Length)
        {
            var c = Peek();
            if (insideHole && c == '}' && depth-- == 0)
            {
                return;
            }

            switch (c)
            {
                case '{' when insideHole:
                    depth++;
                    _at++;
                    break;
                case '/' when Peek(1) == '/':
                    BlankWhile(() => Peek() != '\n');
                    break;
                case '/' when Peek(1) == '*':
                    BlankWhile(() => Peek() != '*' || Peek(1) != '/');
                    Blank(2);
                    break;
                case '\'':
                    Quoted('\'', verbatim: false, interpolated: false);
                    break;
                case '"' or '$' or '@':
                    StringOrCharacter();
                    break;
                default:
                    _at++;
                    break;
            }
        }
    }

    private void StringOrCharacter()
    {
        var prefix = 0;
        while (Peek(prefix) is '$' or '@')
        {
            prefix++;
        }

        if (Peek(prefix) != '"')
        {
            // An @identifier, or a stray character that is none of ours.
            _at += Math.Max(prefix, 1);
            return;
        }

        var verbatim = _text.AsSpan(_at, prefix).Contains('@');
        var interpolated = _text.AsSpan(_at, prefix).Contains('$');
        _at += prefix;
        if (Peek(1) == '"' && Peek(2) == '"')
        {
            Raw();
        }
        else
        {
            Quoted('"', verbatim, interpolated);
        }
    }

    // A raw string is blanked whole, its holes too: it ends at as many quotes as it began with.
    private void Raw()
    {
        var quotes = 0;
        while (Peek(quotes) == '"')
        {
            quotes++;
        }

        _at += quotes;
        var end = _text.IndexOf(new string('"', quotes), _at, StringComparison.Ordinal);
        Blank((end < 0 ? _text.Length : end) - _at);
        while (Peek() == '"')
        {
            _at++;
        }
    }

    private void Quoted(char quote, bool verbatim, bool interpolated)
    {
        _at++;
        while (_at < _text.Length)
        {
            var c = Peek();
            if (c == quote && !(verbatim && Peek(1) == quote))
            {
                _at++;
                return;
            }

            if (c == '\n' && !verbatim)
            {
                return;
            }

            if (interpolated && c == '{' && Peek(1) != '{')
            {
                _at++;
                Code(insideHole: true);
                _at++;
                continue;
            }

            var pair = (c == '\\' && !verbatim) || (c == quote && verbatim) || (interpolated && c is '{');
            Blank(pair ? 2 : 1);
        }
    }

    private void BlankWhile(Func<bool> more)
    {
        while (_at < _text.Length && more())
        {
            Blank(1);
        }
    }

    private void Blank(int count)
    {
        for (var i = 0; i < count && _at < _text.Length; i++, _at++)
        {
            if (_code[_at] is not ('\n' or '\r'))
            {
                _code[_at] = ' ';
            }
        }
    }
}
