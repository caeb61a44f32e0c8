package moduletool

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// nativeRole is a role as modules in C++ and C write it. It is read from the
// headers, which are generated from the role's Go interface.
type nativeRole struct {
	CppHeader, CHeader string // to include
	Class              string // in C++
	Table, Head        string // in C: type of the table, and macro of its head
	Methods            []nativeMethod
	Rest               []string // functions with a default, which are not written out
}

// nativeMethod is one method to be written.
type nativeMethod struct {
	Name      string   // in C
	Camel     string   // in C++
	Result    string   // in C++
	CppParams string   // in C++, names as comments
	CParams   string   // in C, all of them
	Unused    []string // names of parameters in C that a stub does not use
	Zero      bool     // in C there is a result to be set to zero
	Call      string   // arguments of a call from the test; empty if it cannot be made up
	ResultVar string   // type of the variable for the result of that call
}

var (
	cFunction   = regexp.MustCompile(`^  int32_t \(\*(\w+)\)\((.*)\);$`)
	cppMethod   = regexp.MustCompile(`^  virtual (.+?) ?(\w+)\((.*)\) (= 0;|\{.*\})$`)
	scalarInC   = regexp.MustCompile(`^(u?int(8|16|32|64)_t|float|double) (\w+)$`)
	resultInC   = regexp.MustCompile(`^((u?int(8|16|32|64)_t|float|double))\* result$`)
	lastWord    = regexp.MustCompile(`(\w+)$`)
	optionalTag = "/* since "
)

// readNativeRole finds the role in the headers. Functions with a default are left
// out, unless all have one.
func readNativeRole(headers []textFile, role string) (nativeRole, error) {
	var r nativeRole
	head := regexp.MustCompile(`(?m)^#define (\w+) \{MESOS_ROLE_MAGIC, sizeof\((\w+)\), 0, "` + role + `"\}$`)
	class := "class " + role + " {"
	var table, body string
	for _, h := range headers {
		text := string(h.content)
		if found := head.FindStringSubmatch(text); found != nil {
			r.CHeader, r.Head, r.Table = h.path, found[1], found[2]
			_, table, _ = strings.Cut(text, "typedef struct "+r.Table+" {")
			table, _, _ = strings.Cut(table, "\n}")
		}
		if before, after, found := strings.Cut(text, class); found && !strings.Contains(h.path, "/") && strings.HasSuffix(before, "\n") {
			r.CppHeader, r.Class = h.path, role
			body, _, _ = strings.Cut(after, "\n};")
		}
	}
	if table == "" || body == "" {
		return r, fmt.Errorf("the headers do not declare the role %s; they may be of another release than the table of roles", role)
	}
	cpp := map[string]nativeMethod{}
	for line := range strings.SplitSeq(body, "\n") {
		if m := cppMethod.FindStringSubmatch(line); m != nil {
			cpp[inC(m[2])] = nativeMethod{Camel: m[2], Result: m[1], CppParams: commented(m[3])}
		}
	}
	var optional []nativeMethod
	since := false
	for line := range strings.SplitSeq(table, "\n") {
		if m := cFunction.FindStringSubmatch(line); m != nil {
			method := cpp[m[1]]
			method.inC(m[1], m[2])
			if since {
				optional = append(optional, method)
			} else {
				r.Methods = append(r.Methods, method)
			}
		}
		since = strings.Contains(line, optionalTag)
	}
	if len(r.Methods) == 0 {
		r.Methods, optional = optional, nil
	}
	for _, m := range optional {
		r.Rest = append(r.Rest, m.Name)
	}
	return r, nil
}

// inC is what a method of C++ is called in C: masterSlaveLostHook is master_slave_lost_hook there.
func inC(camel string) string {
	var b strings.Builder
	for _, c := range camel {
		if unicode.IsUpper(c) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// inC fills what the C table says of a method.
func (m *nativeMethod) inC(name, params string) {
	m.Name, m.CParams = name, params
	call := []string{"object", "NULL"}
	possible := true
	for i, p := range split(params) {
		word := lastWord.FindString(p)
		result := resultInC.FindStringSubmatch(p)
		switch {
		case i < 2:
		case word == "error":
			call = append(call, "&error")
		case result != nil:
			m.Zero, m.ResultVar = true, result[1]
			call = append(call, "&result")
			continue // it is used
		case scalarInC.MatchString(p):
			call = append(call, "0")
		default:
			possible = false
		}
		m.Unused = append(m.Unused, word)
	}
	if possible {
		m.Call = strings.Join(call, ", ")
	}
}

// commented makes the names of parameters comments, so that a stub that uses none
// compiles without a warning.
func commented(params string) string {
	var all []string
	for _, p := range split(params) {
		t, name := strings.TrimSuffix(p, lastWord.FindString(p)), lastWord.FindString(p)
		if t = strings.TrimRight(t, " "); t == "" || strings.HasSuffix(t, "::") {
			all = append(all, p) // a type alone
			continue
		}
		all = append(all, t+" /*"+name+"*/")
	}
	return strings.Join(all, ", ")
}

// split splits parameters at commas that are not inside brackets.
func split(params string) []string {
	var all []string
	depth, start := 0, 0
	for i, c := range params {
		switch c {
		case '<', '(':
			depth++
		case '>', ')':
			depth--
		case ',':
			if depth == 0 {
				all = append(all, strings.TrimSpace(params[start:i]))
				start = i + 1
			}
		}
	}
	if last := strings.TrimSpace(params[start:]); last != "" {
		all = append(all, last)
	}
	return all
}
