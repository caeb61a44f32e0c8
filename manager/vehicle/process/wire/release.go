package wire

import (
	"context"
	"fmt"
)

// borrow counts a sink of the other side's that is held here.
func (c *Conn) borrow(in *Decoder) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.borrowed >= c.maxObjects {
		in.fail(fmt.Errorf("the other side lends more than %d sinks", c.maxObjects))
		return false
	}
	c.borrowed++
	return true
}

// letGo is called when nobody holds a sink any more. The other side is told of many at
// a time.
func (c *Conn) letGo(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.borrowed--
	if c.lent == nil {
		return // the connection has ended
	}
	c.released = append(c.released, id)
	if !c.telling {
		c.telling = true
		go c.tellReleased()
	}
}

func (c *Conn) tellReleased() {
	for {
		c.mu.Lock()
		ids := c.released
		c.released = nil
		c.telling = len(ids) > 0
		c.mu.Unlock()
		if len(ids) == 0 {
			return
		}
		e := NewEncoder()
		e.Uint64s(ids)
		_, _ = c.Remote(0).Call(context.Background(), methodRelease, e) // a connection that has ended has released all
	}
}
