package protocol

import (
	"strings"
	"unicode/utf8"
)

// Cut returns as much of a text as there is room for, as UTF-8.
func Cut(text string, longest int) string {
	if len(text) > longest {
		for longest > 0 && !utf8.RuneStart(text[longest]) {
			longest--
		}
		text = text[:longest]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
