package stratum

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for _, c := range []struct {
		raw, want string
		err       error
	}{
		{`""`, "", nil},
		{`"mining.submit"`, "mining.submit", nil},
		{`"mining.sub\u006dit"`, "mining.submit", nil},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t", nil},
		{`"\u00e9é\ud83d\ude00😀"`, "éé😀😀", nil},
		{`"a\u0000b"`, "", ErrNUL},
		{`"\ud83d"`, "", ErrSurrogate},
		{`"\ude00\ud83d"`, "", ErrSurrogate},
		{`"\ud83d\u0041"`, "", ErrSurrogate},
		{"\"a\xff\"", "", ErrUTF8},
		{"\"\xed\xa0\x80\"", "", ErrUTF8}, // a surrogate in UTF-8
		{"\"a\\n\xff\"", "", ErrUTF8},
		{`7`, "", ErrNotString},
		{`null`, "", ErrNotString},
		{``, "", ErrNotString},
		{`"`, "", ErrNotString},
		{`"a`, "", ErrNotString},
		{`"a"b"`, "", ErrNotString},
		{`"\x"`, "", ErrNotString},
		{`["a"]`, "", ErrNotString},
	} {
		got, err := Text([]byte(c.raw))
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("Text(%s) = %q, %v; want %q, %v", c.raw, got, err, c.want, c.err)
		}
		out, err := AppendDecoded([]byte("before "), []byte(c.raw))
		if string(out) != "before "+c.want || !errors.Is(err, c.err) {
			t.Errorf("AppendDecoded(%s) = %q, %v; want %q, %v", c.raw, out, err, "before "+c.want, c.err)
		}
	}
}

func TestAppendString(t *testing.T) {
	for s, want := range map[string]string{
		"":                   `""`,
		"bc1q.rig 7":         `"bc1q.rig 7"`,
		`a"b\c/`:             `"a\"b\\c/"`,
		"\x00\x1f\x7f\n\r\t": `"\u0000\u001f` + "\x7f" + `\n\r\t"`,
		"<&>é😀\u2028":        `"<&>é😀` + "\u2028" + `"`,
		"a\xffb\xc3":         `"a�b�"`,
	} {
		if got := string(AppendString(nil, s)); got != want {
			t.Errorf("AppendString(%q) = %s, want %s", s, got, want)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		raw, s string
		want   bool
	}{
		{`"mining.notify"`, "mining.notify", true},
		{`"mining\u002enotify"`, "mining.notify", true},
		{`"a\/b"`, "a/b", true},
		{`"mining.Notify"`, "mining.notify", false},
		{`"a\n"`, `a\n`, false},
		{`"a\\n"`, `a\n`, true},
		{`[1,2]`, "1,2", false},
		{`""`, "", true},
		{``, "", false},
	} {
		if got := Equal([]byte(c.raw), c.s); got != c.want {
			t.Errorf("Equal(%s, %q) = %v", c.raw, c.s, got)
		}
	}
}

// FuzzText holds Text against encoding/json, which puts U+FFFD where Text fails, and AppendString against Text.
func FuzzText(f *testing.F) {
	for _, raw := range []string{`"a"`, `"\u00e9\ud83d\ude00"`, `"\ud83d"`, "\"\xff\"", `"\n`, `1`} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Text(raw)
		var want string
		isString := json.Unmarshal(raw, &want) == nil && len(raw) > 0 && raw[0] == '"' && raw[len(raw)-1] == '"'
		switch {
		case err == nil && (!isString || got != want):
			t.Fatalf("Text(%q) = %q, encoding/json says %q", raw, got, want)
		case err != nil && isString && !strings.ContainsRune(want, utf8.RuneError) && !strings.Contains(want, "\x00"):
			t.Fatalf("Text(%q): %v, encoding/json says %q", raw, err, want)
		}
		written := AppendString(nil, string(raw))
		if back, err := Text(written); errors.Is(err, ErrNUL) {
			if !bytes.Contains(raw, []byte{0}) {
				t.Fatalf("AppendString(%q) = %s, which has a NUL", raw, written)
			}
		} else if err != nil || back != strings.ToValidUTF8(string(raw), "") && utf8.Valid(raw) {
			t.Fatalf("AppendString(%q) = %s, which reads as %q, %v", raw, written, back, err)
		}
	})
}
