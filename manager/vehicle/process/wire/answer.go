package wire

import "fmt"

// The first byte of an answer says what follows.
const (
	answerResults = iota
	answerError
	answerPanic
)

// newAnswer returns an Encoder for results.
func newAnswer() *Encoder {
	e := NewEncoder()
	e.b = append(e.b, answerResults)
	return e
}

// answerOf is the answer of a call that failed.
func answerOf(c *Conn, err error) []byte {
	out := newAnswer()
	out.b[0] = answerError
	c.names.put(out, err)
	return out.b
}

// read returns the results in an answer, or the error in it.
func (c *Conn) read(method string, answer []byte) (*Decoder, error) {
	if len(answer) == 0 {
		return nil, &MalformedError{Method: method, Cause: errEmpty}
	}
	in := &Decoder{b: answer[1:], whole: answer, method: method}
	switch answer[0] {
	case answerResults:
		return in, nil
	case answerError:
		err := c.names.take(in, new(budget))
		if in.err != nil {
			return nil, in.err
		}
		if unknown, ok := err.(*UnknownMethodError); ok && unknown.Theirs == "" {
			return nil, c.versions(unknown)
		}
		return nil, err
	case answerPanic:
		err := c.names.take(in, new(budget))
		p, ok := err.(*PanicError)
		if !ok {
			return nil, &MalformedError{Method: method, Cause: fmt.Errorf("a panic without a value: %v", err)}
		}
		p.Method, p.raised = method, true
		return nil, p
	default:
		return nil, &MalformedError{Method: method, Cause: fmt.Errorf("an answer of kind %d", answer[0])}
	}
}
