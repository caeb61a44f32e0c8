package shim

import (
	"os"
	"syscall"
)

// IO moves the input and output of a container where others can attach, for the shims of
// other containerizers. All output goes to standard output and error too. Its methods may
// be called from any goroutine, each of the first three at most once and only one of them.
type IO struct{ t *terminal }

// NewIO returns an IO that moves nothing yet. With await, output waits for somebody to be
// attached.
func NewIO(await bool) *IO {
	t := newTerminal()
	if !await {
		t.hurry()
	}
	return &IO{t}
}

// Nothing says that there is nothing to be moved.
func (i *IO) Nothing() { close(i.t.started) }

// Terminal moves what comes from the other side of a terminal, whose size is set if it is
// known. The file is the IO's from then on.
func (i *IO) Terminal(master *os.File, rows, columns uint16) {
	setSize(master, rows, columns)
	i.t.keep(&Config{Terminal: true}, []*os.File{master})
	close(i.t.started)
}

// Pipes opens pipes for the command's input, output and error. Started is called when the
// process has its ends, or will not be.
func (i *IO) Pipes() (files []uintptr, started func(bool), err error) {
	files, kept, err := openPipes(nil)
	if err != nil {
		return nil, nil, err
	}
	return files, func(is bool) {
		for _, f := range files {
			_ = syscall.Close(int(f))
		}
		if is {
			i.t.keep(&Config{Attachable: true}, kept)
		} else {
			for _, k := range kept {
				_ = k.Close()
			}
		}
		close(i.t.started)
	}, nil
}

// Write hands data to the command and waits until it is taken; none is the end of its
// input.
func (i *IO) Write(data []byte) { i.t.write(data) }

// Resize takes the data of a Window frame.
func (i *IO) Resize(data []byte) { i.t.resize(data) }

// Attach sends the output to a connection, and says so on it first.
func (i *IO) Attach(c *os.File) { i.t.attach(c) }

// Detach forgets a connection.
func (i *IO) Detach(c *os.File) { i.t.detach(c) }

// Hurry lets output go that waits for somebody.
func (i *IO) Hurry() { i.t.hurry() }

// Drain returns when all output has been moved. Nobody is left who writes.
func (i *IO) Drain() { i.t.drain() }
