package manifest

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
)

// Options change how a manifest is read. The zero value is strict.
type Options struct {
	Relaxed  bool   // unknown keys become notices instead of errors
	MaxBytes int    // the longest text that is read; 0 stands for [DefaultMaxBytes]
	Source   string // what positions call the flag's value; "" stands for "--modules"
}

func (o Options) maxBytes() int  { return cmp.Or(o.MaxBytes, DefaultMaxBytes) }
func (o Options) source() string { return cmp.Or(o.Source, "--modules") }

// Load reads what the flags --modules and --modules_dir ask for. "" stands for a flag that was not given; both together
// are an error, as in Apache Mesos.
func Load(modules, dir string, o Options) (Manifest, []Notice, error) {
	switch {
	case modules != "" && dir != "":
		return Manifest{}, nil, &Problem{Text: "--modules and --modules_dir exclude each other; " +
			"put the manifest of --modules as a file into the folder, or name all libraries in it"}
	case modules != "":
		return Parse(modules, o)
	case dir != "":
		return ReadDir(dir, o)
	default:
		return Manifest{}, nil, nil
	}
}

// Parse reads the value of --modules. White space around the value does not count. The first characters tell the form:
//
//   - "{" begins JSON. So do "[" and a double quote, but no manifest starts with them: the error says what is wrong.
//   - "file:///path", and an absolute path without a colon, name a file that holds JSON.
//   - All else is the short form, PATH:MODULE,PATH:MODULE. Entries are split at commas and each at its last colon. White
//     space around an entry does not count, so a list may run over several lines; inside a path it is part of the path.
//     The modules of one path, spelt alike, become one library, placed where the path stands first. Parameters and paths
//     with commas or colons need JSON.
//
// The result is empty if there is an error. Notices come either way.
func Parse(value string, o Options) (Manifest, []Notice, error) {
	begin := strings.TrimSpace(strings.TrimPrefix(value, string(byteOrderMark)))
	switch {
	case begin == "":
		return fail(o.source(), "the manifest is empty; write {} to load nothing")
	case inlineJSON(value):
		return ParseJSON(o.source(), []byte(value), o)
	case strings.HasPrefix(begin, "file://"):
		path := strings.TrimPrefix(begin, "file://")
		if !filepath.IsAbs(path) {
			return fail(o.source(), fmt.Sprintf("file:// needs an absolute path; write three slashes: file:///%s", path))
		}
		return ReadFile(path, o)
	case filepath.IsAbs(begin) && !strings.Contains(begin, ":"):
		return ReadFile(begin, o)
	default:
		return parseShort(value, o)
	}
}

// inlineJSON says whether the value of --modules is JSON itself.
func inlineJSON(value string) bool {
	begin := strings.TrimSpace(strings.TrimPrefix(value, string(byteOrderMark)))
	return begin != "" && strings.ContainsRune(`{["`, rune(begin[0]))
}

func fail(source, text string) (Manifest, []Notice, error) {
	return Manifest{}, nil, join([]*Problem{{At: Position{Source: source}, Text: text}})
}
