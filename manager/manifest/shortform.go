package manifest

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const jsonInstead = `; paths with commas or colons need the JSON form: ` +
	`{"libraries": [{"file": "PATH", "modules": [{"name": "MODULE"}]}]}`

func parseShort(value string, o Options) (Manifest, []Notice, error) {
	t, bad := checkBytes(o.source(), []byte(value), o.maxBytes())
	if bad != nil {
		return Manifest{}, nil, join([]*Problem{bad})
	}
	var (
		m     Manifest
		r     = reader{text: t}
		place = map[string]int{} // path -> index in m.Libraries
		start = 0
	)
	for number, entry := range strings.Split(string(t.data), ",") {
		trimmed := strings.TrimLeftFunc(entry, unicode.IsSpace)
		offset := start + len(entry) - len(trimmed)
		trimmed = strings.TrimSpace(trimmed)
		start += len(entry) + 1
		at := t.at(offset)
		path, module, ok := r.split(trimmed, number+1, at)
		if !ok || !r.count(&r.modules, MaxModules, "modules", at) {
			if r.stopped {
				break
			}
			continue
		}
		index, known := place[path]
		if !known {
			if !r.count(&r.libraries, MaxLibraries, "libraries", at) {
				break
			}
			index = len(m.Libraries)
			place[path] = index
			m.Libraries = append(m.Libraries, Library{File: path, At: at})
		}
		l := &m.Libraries[index]
		moduleAt := at
		moduleAt.Column += utf8.RuneCountInString(trimmed) - utf8.RuneCountInString(module)
		l.Modules = append(l.Modules, Module{Name: module, At: moduleAt})
	}
	if err := r.finish(nil); err != nil {
		return Manifest{}, nil, err
	}
	return m, nil, nil
}

// split takes one entry of the short form apart; it reports what is wrong with it and then returns false.
func (r *reader) split(entry string, number int, at Position) (path, module string, ok bool) {
	wrong := func(format string, arguments ...any) (string, string, bool) {
		r.report(at, "entry %d%s", number, fmt.Sprintf(format, arguments...))
		return "", "", false
	}
	if entry == "" {
		return wrong(" is empty; take the comma out")
	}
	colon := strings.LastIndexByte(entry, ':')
	if colon < 0 {
		return wrong(", %s: no colon; write PATH:MODULE%s", quote(entry), jsonInstead)
	}
	path, module = entry[:colon], entry[colon+1:]
	switch {
	case path == "":
		return wrong(", %s: no path before the colon; write PATH:MODULE", quote(entry))
	case module == "":
		return wrong(", %s: no module after the colon; write PATH:MODULE%s", quote(entry), jsonInstead)
	case strings.ContainsRune(entry, 0):
		return wrong(", %s: holds a NUL character", quote(entry))
	case strings.TrimSpace(path) != path || strings.TrimSpace(module) != module:
		return wrong(", %s: white space beside the colon; take it out", quote(entry))
	case strings.ContainsFunc(module, unicode.IsSpace) || strings.Contains(module, "/"):
		return wrong(", %s: %s after the last colon is no module name%s", quote(entry), quote(module), jsonInstead)
	}
	return path, module, true
}
