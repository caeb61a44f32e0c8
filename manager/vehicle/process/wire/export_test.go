package wire

import "context"

// Carrier is what a connection needs of a link.
type Carrier = carrier

// StartOn starts a connection on something else than a link.
func (c *Conn) StartOn(l Carrier) { c.carryOn(l) }

// LimitObjects bounds what the other side may lend.
func (c *Conn) LimitObjects(n int) { c.maxObjects = n }

// Lent is how much of this side's the other one can reach: objects, contexts.
func (c *Conn) Lent() (objects, contexts int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.lent), len(c.lifetimes)
}

// Borrowed is how much of the other side's is held here: sinks, contexts.
func (c *Conn) Borrowed() (sinks, contexts int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.borrowed, len(c.scopes)
}

// EncodeError and DecodeError are what answers have.
func EncodeError(err error, more ...Identity) []byte { return identitiesWith(more).encoded(err) }

func DecodeError(b []byte, more ...Identity) (err, malformed error) {
	d := NewDecoder(b)
	err = identitiesWith(more).take(d, new(budget))
	return err, d.Err()
}

// Bounds of errors.
const (
	MaxErrorText  = maxErrorText
	MaxErrorTexts = maxErrorTexts
	MaxErrors     = maxErrors
	MaxErrorDepth = maxErrorDepth
	MaxField      = maxField
	MaxPanicStack = maxPanicStack
)

// CallRoot calls a method of the other side's root.
func (c *Conn) CallRoot(ctx context.Context, method string, e *Encoder) error {
	_, err := c.Remote(0).Call(ctx, method, e)
	return err
}

// Read reads an answer.
func (c *Conn) Read(method string, answer []byte) (*Decoder, error) { return c.read(method, answer) }
