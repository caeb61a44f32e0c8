package vm

import (
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// MaxSource is how long a script may be.
const MaxSource = 256 << 10

// Program is a script that can be run, any number of times, by any goroutine.
type Program struct {
	name    string
	proto   *lua.FunctionProto
	closure int64 // what the largest function takes when it is made
}

// SyntaxError is a script that cannot be compiled.
type SyntaxError struct {
	Name    string
	Line    int // 0 if no line can be blamed
	Message string
}

func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Name, e.Message)
	}
	return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Message)
}

// Compile makes a program of a script. Name is what errors call it. An error is a
// *SyntaxError.
func Compile(name, source string) (*Program, error) {
	if len(source) > MaxSource {
		return nil, &SyntaxError{Name: name, Message: fmt.Sprintf("the script has %d bytes, and at most %d are read", len(source), MaxSource)}
	}
	if strings.HasPrefix(source, "\x1b") {
		return nil, &SyntaxError{Name: name, Line: 1, Message: "this is compiled code, and a script is text"}
	}
	chunk, err := parse.Parse(strings.NewReader(source), name)
	if err != nil {
		return nil, syntaxError(name, source, err)
	}
	guard := &rewriter{name: name}
	if chunk = guard.block(chunk); guard.problem != nil {
		return nil, guard.problem
	}
	proto, err := translate(name, chunk)
	if err != nil {
		return nil, err
	}
	return &Program{name: name, proto: proto, closure: closureBytes + upvalueBytes*int64(mostUpvalues(proto))}, nil
}

// syntaxError takes the line out of a parser's error.
func syntaxError(name, source string, err error) error {
	var at *parse.Error
	if !errors.As(err, &at) {
		return &SyntaxError{Name: name, Message: err.Error()}
	}
	line, near := at.Pos.Line, fmt.Sprintf(" near %q", at.Token)
	if line == parse.EOF {
		line, near = strings.Count(strings.TrimRight(source, "\n"), "\n")+1, " at the end of the file"
	}
	return &SyntaxError{Name: name, Line: line, Message: at.Message + near}
}

// mostUpvalues is the largest number of outer variables that a function keeps.
func mostUpvalues(p *lua.FunctionProto) int {
	most := int(p.NumUpvalues)
	for _, inner := range p.FunctionPrototypes {
		most = max(most, mostUpvalues(inner))
	}
	return most
}
