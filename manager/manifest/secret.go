package manifest

import (
	"regexp"
	"slices"
	"strings"
)

// Hidden stands for a value that is not shown.
const Hidden = "(hidden)"

// secretParts give a key away wherever they stand in it; "key" alone hides a harmless value now and then, which costs
// less than showing a private key once.
var secretParts = []string{"password", "passwd", "passphrase", "pwd", "secret", "token", "key", "credential", "cookie"}

// secretWords give a key away only as the whole key: "pin" is part of "pinned".
var secretWords = []string{"pass", "pin", "auth"}

var urlWithPassword = regexp.MustCompile(`://[^/@\s]*:[^/@\s]+@`)

// LooksSecret says whether the value of a parameter with this key should be hidden as long as no schema says what it is.
func LooksSecret(key string) bool {
	key = strings.ToLower(key)
	return slices.Contains(secretWords, key) ||
		slices.ContainsFunc(secretParts, func(part string) bool { return strings.Contains(key, part) })
}

// Redacted returns a deep copy of m in which the values that isSecret names are replaced by [Hidden], and with them those
// that look secret, variables of environments among them. A nil isSecret hides only the latter. It is called with the
// names of module and parameter.
func (m Manifest) Redacted(isSecret func(module, key string) bool) Manifest {
	libraries := slices.Clone(m.Libraries)
	for i := range libraries {
		modules := slices.Clone(libraries[i].Modules)
		for j := range modules {
			parameters := slices.Clone(modules[j].Parameters)
			for k, p := range parameters {
				parameters[k] = p.Redacted(isSecret != nil && isSecret(modules[j].Name, p.Key))
			}
			modules[j].Parameters = parameters
		}
		libraries[i].Modules = modules
		libraries[i].Process = libraries[i].Process.Redacted()
	}
	return Manifest{Libraries: libraries}
}

// Redacted is the parameter as anybody may see it: the value is [Hidden] if it is secret, or looks so.
func (p Parameter) Redacted(secret bool) Parameter {
	if secret || p.Value != "" && LooksSecret(p.Key) {
		p.Value = Hidden
	}
	p.Value = urlWithPassword.ReplaceAllString(p.Value, "://"+Hidden+"@")
	return p
}

// String gives key=value, the value hidden if it looks secret, so that a manifest printed by accident tells nothing.
func (p Parameter) String() string {
	p = p.Redacted(false)
	return p.Key + "=" + p.Value
}

// GoString is [Parameter.String] for %#v.
func (p Parameter) GoString() string { return p.String() }

// Redacted is a deep copy as anybody may see it: of the environment, values that look secret are [Hidden].
func (p Process) Redacted() Process {
	p.ReadOnly, p.ReadWrite = slices.Clone(p.ReadOnly), slices.Clone(p.ReadWrite)
	p.Environment = slices.Clone(p.Environment)
	for i, v := range p.Environment {
		p.Environment[i].Value = Parameter{Key: v.Name, Value: v.Value}.Redacted(false).Value
	}
	return p
}

// String gives NAME=value, the value hidden if it looks secret.
func (v Variable) String() string { return Parameter{Key: v.Name, Value: v.Value}.String() }

// GoString is [Variable.String] for %#v.
func (v Variable) GoString() string { return v.String() }
