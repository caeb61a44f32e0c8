package manifest

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mesos-modules/mms/facade/stout"
)

// The keys of the JSON form, in the order in which error texts list them.
var (
	manifestKeys  = []string{"libraries"}
	libraryKeys   = []string{"file", "name", "modules", "limits", "isolation", "process"}
	moduleKeys    = []string{"name", "parameters", "limits", "on_failure"}
	parameterKeys = []string{"key", "value"}
	limitKeys     = []string{"open", "check", "create", "drain", "close"}
)

// ParseJSON reads one manifest in the JSON form; source is the name positions carry. The result is empty if there is an
// error.
func ParseJSON(source string, data []byte, o Options) (Manifest, []Notice, error) {
	t, bad := checkBytes(source, data, o.maxBytes())
	if bad != nil {
		return Manifest{}, nil, join([]*Problem{bad})
	}
	broken := checkSyntax(t)
	r := newReader(t, o)
	m := r.manifest()
	if err := r.finish(broken); err != nil {
		return Manifest{}, r.notices, err
	}
	return m, r.notices, nil
}

func (r *reader) manifest() (m Manifest) {
	t, ok := r.next()
	if !ok {
		return m
	}
	if t.value != json.Delim('{') {
		r.report(r.text.at(t.start), "%s, want an object: {\"libraries\": [...]}", t.kind())
		return m
	}
	r.object("", manifestKeys, func(key, path string) {
		r.objects(path, func(path string, at Position) {
			if r.count(&r.libraries, MaxLibraries, "libraries", at) {
				m.Libraries = append(m.Libraries, r.library(path, at))
			}
		})
	})
	return m
}

func (r *reader) library(path string, at Position) Library {
	l := Library{At: at}
	var file, name field
	understood := r.object(path, libraryKeys, func(key, path string) {
		switch key {
		case "file":
			if file = r.string(path); file.empty() {
				r.report(file.at, "%s: empty; write the path of the library", path)
			}
		case "name":
			name = r.string(path)
			switch {
			case name.empty():
				r.report(name.at, `%s: empty; "calc" stands for libcalc.so`, path)
			case strings.Contains(name.text, "/"):
				r.report(name.at, `%s: a name has no slash; write a path as "file"`, path)
			}
		case "modules":
			r.objects(path, func(path string, at Position) {
				if r.count(&r.modules, MaxModules, "modules", at) {
					l.Modules = append(l.Modules, r.module(path, at))
				}
			})
		case "limits":
			l.Limits = r.limits(path, false)
		case "isolation":
			l.Isolation = r.isolation(path)
		case "process":
			l.Process = r.process(path)
		}
	})
	if !file.given && !name.given && understood {
		r.report(at, `%s: neither "file" nor "name"; one of them must say which library is meant`, path)
	}
	if len(l.Modules) == 0 && understood && !r.stopped {
		r.notice(at, "%s: names no module, so nothing is used from this library", path)
	}
	l.File, l.Name = file.text, name.text
	return l
}

func (r *reader) module(path string, at Position) Module {
	m := Module{At: at}
	var name field
	understood := r.object(path, moduleKeys, func(key, path string) {
		switch key {
		case "name":
			if name = r.string(path); name.empty() {
				r.report(name.at, "%s: empty; write the name the library declares the module by", path)
			}
		case "parameters":
			r.objects(path, func(path string, at Position) {
				if r.count(&r.parameters, MaxParameters, "parameters", at) {
					m.Parameters = append(m.Parameters, r.parameter(path))
				}
			})
		case "limits":
			m.Limits = r.limits(path, true)
		case "on_failure":
			m.OnFailure = r.onFailure(path)
		}
	})
	if !name.given && understood {
		r.report(at, `%s: a module without "name"; write the name the library declares it by`, path)
	}
	m.Name = name.text
	return m
}

func (r *reader) parameter(path string) Parameter {
	var key, value field
	r.object(path, parameterKeys, func(member, path string) {
		switch member {
		case "key":
			key = r.string(path)
		case "value":
			value = r.stringOr(path)
		}
	})
	if value.wrong != nil {
		value.wrong(LooksSecret(key.text))
	}
	return Parameter{Key: key.text, Value: value.text}
}

func (r *reader) limits(path string, ofModule bool) (l Limits) {
	if _, ok := r.opened(path, `{"create": "30secs"}`); !ok {
		return l
	}
	of := [...]*time.Duration{&l.Open, &l.Check, &l.Create, &l.Drain, &l.Close} // as limitKeys
	r.object(path, limitKeys, func(key, path string) {
		f := r.stringOr(path)
		switch limit, err := parseLimit(f.text); {
		case !f.given:
		case key == "open" && ofModule:
			r.report(f.at, `%s: a library is opened once for all its modules; write "open" into the library's "limits"`, path)
		case f.wrong != nil:
			r.report(f.at, "%s: no string; %v", path, err)
		case err != nil:
			r.report(f.at, "%s: %s: %v", path, quote(f.text), err)
		default:
			*of[slices.Index(limitKeys, key)] = limit
		}
	})
	return l
}

// parseLimit refuses 0, because it would read as "no time" and mean "default".
func parseLimit(text string) (time.Duration, error) {
	d, err := stout.ParseDuration(text)
	if err == nil && d == 0 {
		return 0, errors.New("a limit must be longer than 0; leave it out for the daemon's default")
	}
	return d, err
}

func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func below(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// quote shows words of the text in an error, shortened, because they may be as long as the text.
func quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return strconv.QuoteToGraphic(s)
}
