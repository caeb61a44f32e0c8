package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// checkSyntax says where a text stops being JSON, in words that name the usual slips; nil if it is JSON.
func checkSyntax(t text) *Problem {
	var whole json.RawMessage
	err := json.Unmarshal(t.data, &whole)
	if err == nil {
		return nil
	}
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return &Problem{At: t.at(0), Text: "not JSON: " + err.Error(), Err: err}
	}
	at, words := explain(t, int(syntax.Offset)-1, syntax.Error())
	return &Problem{At: t.at(at), Text: words, Err: err}
}

// explain says what the decoder's complaint about the byte at offset means to somebody who writes a manifest by hand. It
// never repeats a word of the text: that might be a secret somebody forgot to quote.
func explain(t text, offset int, complaint string) (int, string) {
	if strings.HasPrefix(complaint, "unexpected end") {
		return explainEnd(t)
	}
	has := func(part string) bool { return strings.Contains(complaint, part) }
	c := t.data[offset]
	before := bytes.TrimRight(t.data[:offset], " \t\r\n")
	switch {
	case !has("in string") && (c == '#' || bytes.HasPrefix(t.data[offset:], []byte("//")) || bytes.HasPrefix(t.data[offset:], []byte("/*"))):
		return offset, "JSON knows no comments; take it out"
	case (c == ']' || c == '}') && bytes.HasSuffix(before, []byte(",")):
		return len(before) - 1, fmt.Sprintf("the comma before %q is one too many", c)
	case c == ',' && (has("beginning of value") || has("beginning of object key")):
		return offset, "a comma too many"
	case has("in string literal"):
		return offset, "a line break, tab or other control character inside a string; write it as an escape like \\n"
	case has("in string escape code"), has("hexadecimal character escape"):
		return offset, `no such escape in a string; a backslash itself is written \\`
	case has("after top-level value"):
		return offset, "the manifest ends before this; nothing may follow it"
	case c == '\'':
		return offset, "strings stand in double quotes, not in single ones"
	case has("beginning of object key"):
		return offset, "a key is missing here; keys stand in double quotes"
	case has("after object key:value pair"), has("after array element"):
		if c == ']' || c == '}' {
			return offset, fmt.Sprintf("%q does not close what is open here%s", c, opened(t, offset))
		}
		return offset, "a comma is missing before this"
	case has("after object key"):
		return offset, "a colon is missing between key and value"
	case has("beginning of value") && (c == ']' || c == '}'):
		return offset, fmt.Sprintf("a value is missing before %q", c)
	case has("beginning of value"), has("in literal"), has("in numeric literal"), has("exponent"), has("decimal point"):
		return offset, "not a JSON value; strings stand in double quotes, and true, false and null are written in lower case"
	default:
		return offset, "not JSON: " + complaint
	}
}

func explainEnd(t text) (int, string) {
	if len(bytes.TrimSpace(t.data)) == 0 {
		return 0, "the manifest is empty; write {} to load nothing"
	}
	return len(t.data), "the manifest ends too early" + opened(t, len(t.data))
}

// opened says which bracket or string is still open before offset.
func opened(t text, offset int) string {
	var open []int
	inString := false
	for i := 0; i < offset; i++ {
		switch c := t.data[i]; {
		case inString && c == '\\':
			i++
		case c == '"' && inString:
			inString = false
			open = open[:len(open)-1]
		case c == '"':
			inString = true
			open = append(open, i)
		case inString:
		case c == '{', c == '[':
			open = append(open, i)
		case (c == '}' || c == ']') && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	if len(open) == 0 {
		return ""
	}
	last := open[len(open)-1]
	at := t.at(last)
	return fmt.Sprintf(": %s of line %d, column %d is open", string(t.data[last]), at.Line, at.Column)
}

// faultOf finds what a JSON string may hold and a module's name or parameter may not: NUL characters, which end strings
// in C, and escaped halves of characters, which the decoder silently replaces.
func faultOf(raw []byte, decoded string) string {
	if strings.ContainsRune(decoded, 0) {
		return "a NUL character can't be handed to a module"
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		switch half := string(bytes.ToLower(raw[i+1 : i+3])); {
		case half < "d8" || half > "df":
			i += 4
		case half < "dc" && i+7 < len(raw) && raw[i+5] == '\\' && raw[i+6] == 'u' &&
			strings.Contains("cdef", string(bytes.ToLower(raw[i+8:i+9]))) && bytes.ToLower(raw[i+7 : i+8])[0] == 'd':
			i += 10
		default:
			return "half of a surrogate pair is no character; write both halves, or the character itself"
		}
	}
	return ""
}
