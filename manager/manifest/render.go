package manifest

import (
	"bytes"
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
		File   string      `json:"file,omitempty"`
		Name   string      `json:"name,omitempty"`
		Limits *jsonLimits `json:"limits,omitempty"`

		Isolation Isolation    `json:"isolation,omitempty"`
		Process   *jsonProcess `json:"process,omitempty"`

		Modules []jsonModule `json:"modules,omitempty"`
	}
	jsonModule struct {
		Name       string          `json:"name"`
		Limits     *jsonLimits     `json:"limits,omitempty"`
		OnFailure  string          `json:"on_failure,omitempty"`
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
	jsonProcess struct {
		Memory          string       `json:"memory,omitempty"`
		CPUs            float64      `json:"cpus,omitempty"`
		OpenFiles       uint64       `json:"open_files,omitempty"`
		User            string       `json:"user,omitempty"`
		NoNewPrivileges bool         `json:"no_new_privileges,omitempty"`
		Seccomp         string       `json:"seccomp,omitempty"`
		ReadOnly        []string     `json:"read_only,omitempty"`
		ReadWrite       []string     `json:"read_write,omitempty"`
		Environment     jsonMembers  `json:"environment,omitempty"`
		Heartbeat       string       `json:"heartbeat,omitempty"`
		Restart         *jsonRestart `json:"restart,omitempty"`
	}
	jsonRestart struct {
		Limit   *int   `json:"limit,omitempty"`
		Within  string `json:"within,omitempty"`
		Backoff string `json:"backoff,omitempty"`
		Longest string `json:"longest,omitempty"`
	}
	// jsonMembers is an object whose members keep their order.
	jsonMembers []Variable
)

func (m Manifest) rendering() jsonManifest {
	var out jsonManifest
	for _, library := range m.Redacted(nil).Libraries {
		l := jsonLibrary{File: library.File, Name: library.Name, Limits: library.Limits.rendering(),
			Isolation: library.Isolation, Process: library.Process.rendering()}
		for _, module := range library.Modules {
			r := jsonModule{Name: module.Name, Limits: module.Limits.rendering(), OnFailure: module.OnFailure.String()}
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
	return &jsonLimits{written(l.Open), written(l.Check), written(l.Create), written(l.Drain), written(l.Close)}
}

// written is a duration as it is read, "" for one that was left out.
func written(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return stout.ExactDuration(d)
}

func (p Process) rendering() *jsonProcess {
	if !p.Given() {
		return nil
	}
	out := &jsonProcess{CPUs: p.CPUs, OpenFiles: p.OpenFiles, User: p.User, NoNewPrivileges: p.NoNewPrivileges, Seccomp: p.Seccomp,
		ReadOnly: p.ReadOnly, ReadWrite: p.ReadWrite, Environment: p.Environment, Heartbeat: written(p.Heartbeat), Restart: p.Restart.rendering()}
	if p.Memory != 0 {
		out.Memory = stout.Bytes(p.Memory).String()
	}
	return out
}

func (s Restart) rendering() *jsonRestart {
	if s == (Restart{}) {
		return nil
	}
	out := &jsonRestart{Within: written(s.Within), Backoff: written(s.Backoff), Longest: written(s.Longest)}
	if s.Limit != 0 {
		limit := max(s.Limit, 0) // Never is written 0
		out.Limit = &limit
	}
	return out
}

// MarshalJSON writes the members in their order.
func (all jsonMembers) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, v := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		// Encoding strings into memory can't fail; the line ends between them are white space.
		_ = e.Encode(v.Name)
		b.WriteByte(':')
		_ = e.Encode(v.Value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
