package manifest

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/mesos-modules/mms/facade/stout"
)

// Text renders m as JSON on one line, in the order of the manifest and with what looks secret hidden; see
// [Manifest.MarshalJSON].
func (m Manifest) Text() string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// Encoding structs of strings into memory can't fail.
	_ = e.Encode(m.rendering())
	return strings.TrimSuffix(b.String(), "\n")
}

// MarshalJSON renders m in the JSON form, which [Parse] reads again. Key order is fixed. Values whose keys look secret
// are always hidden: to hide more, render [Manifest.Redacted]. The result is for people and tools that look, not for
// handing a manifest on.
func (m Manifest) MarshalJSON() ([]byte, error) {
	return []byte(m.Text()), nil
}

// Shown is the value of --modules as it may be shown: a JSON manifest as [Manifest.Redacted] with isSecret renders it, the
// other forms, which hold no parameters, as they are. Of JSON that can't be read only [Hidden] is left.
func Shown(value string, isSecret func(module, key string) bool) string {
	if !inlineJSON(value) {
		return value
	}
	m, _, err := ParseJSON("", []byte(value), Options{Relaxed: true})
	if err != nil {
		return Hidden
	}
	return m.Redacted(isSecret).Text()
}

// The json… types are the JSON form; they exist apart from the exported ones so that those may change without it.
type (
	jsonManifest struct {
		Libraries []jsonLibrary `json:"libraries,omitempty"`
	}
	jsonLibrary struct {
		File    string       `json:"file,omitempty"`
		Name    string       `json:"name,omitempty"`
		Limits  *jsonLimits  `json:"limits,omitempty"`
		Modules []jsonModule `json:"modules,omitempty"`
	}
	jsonModule struct {
		Name       string          `json:"name"`
		Limits     *jsonLimits     `json:"limits,omitempty"`
		Parameters []jsonParameter `json:"parameters,omitempty"`
	}
	jsonParameter struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	jsonLimits struct {
		Open   string `json:"open,omitempty"`
		Check  string `json:"check,omitempty"`
		Create string `json:"create,omitempty"`
		Drain  string `json:"drain,omitempty"`
		Close  string `json:"close,omitempty"`
	}
)

func (m Manifest) rendering() jsonManifest {
	var out jsonManifest
	for _, library := range m.Redacted(nil).Libraries {
		l := jsonLibrary{File: library.File, Name: library.Name, Limits: library.Limits.rendering()}
		for _, module := range library.Modules {
			r := jsonModule{Name: module.Name, Limits: module.Limits.rendering()}
			for _, p := range module.Parameters {
				r.Parameters = append(r.Parameters, jsonParameter(p))
			}
			l.Modules = append(l.Modules, r)
		}
		out.Libraries = append(out.Libraries, l)
	}
	return out
}

func (l Limits) rendering() *jsonLimits {
	if l == (Limits{}) {
		return nil
	}
	text := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return stout.ExactDuration(d)
	}
	return &jsonLimits{text(l.Open), text(l.Check), text(l.Create), text(l.Drain), text(l.Close)}
}
