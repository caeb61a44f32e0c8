package shim

import (
	"encoding/binary"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// unread is how long somebody attached may let the container wait before he is
	// dropped.
	unread = 30 * time.Second

	// unattached is how long output that waits for somebody is kept when the
	// container has ended.
	unattached = 5 * time.Second

	chunk = 32 << 10
)

// terminal is the container's input and output where others can attach: a terminal, or
// pipes. All output goes to the container's own files too. For other containers it does
// nothing.
type terminal struct {
	tty      bool
	started  chan struct{} // closed when input is there, or will not be
	release  chan struct{} // closed when output need not wait for anybody
	once     sync.Once
	copies   sync.WaitGroup
	deliver  sync.Mutex // one piece of output at a time
	mu       sync.Mutex
	input    *os.File
	attached []*os.File
}

func newTerminal() *terminal {
	return &terminal{started: make(chan struct{}), release: make(chan struct{})}
}

// program is what is started with the container's input and output.
type program struct {
	path      string
	arguments []string
	folder    string
	files     []uintptr // behind standard error
}

// fork starts the command with its input and output.
func (t *terminal) fork(c *Config, p program, attributes *syscall.SysProcAttr) (int, error) {
	defer close(t.started)
	if !c.AwaitAttach {
		t.hurry()
	}
	files, kept, err := t.open(c)
	if err != nil {
		return 0, err
	}
	if c.Terminal {
		attributes.Setctty = true
	}
	pid, err := syscall.ForkExec(p.path, p.arguments, &syscall.ProcAttr{
		Dir: p.folder, Env: c.Command.Environment, Files: append(files[:len(files):len(files)], p.files...), Sys: attributes,
	})
	if c.Terminal || c.Attachable {
		closeAll(files)
	}
	if err != nil {
		for _, k := range kept {
			_ = k.Close()
		}
		return 0, err
	}
	t.keep(c, kept)
	return pid, nil
}

// open returns the command's files and the shim's ends of them: of a terminal one, of
// pipes three.
func (t *terminal) open(c *Config) (files []uintptr, kept []*os.File, err error) {
	switch {
	case c.Terminal:
		return openTerminal(c)
	case c.Attachable:
		return openPipes(c.User)
	default:
		return []uintptr{0, 1, 2}, nil, nil
	}
}

// keep begins to move input and output.
func (t *terminal) keep(c *Config, kept []*os.File) {
	t.tty = c.Terminal
	switch len(kept) {
	case 1:
		t.input = kept[0]
		t.copies.Go(func() { t.pump(kept[0], os.Stdout, Output) })
	case 3:
		t.input = kept[0]
		t.copies.Go(func() { t.pump(kept[1], os.Stdout, Output) })
		t.copies.Go(func() { t.pump(kept[2], os.Stderr, Error) })
	}
}

// pump moves what the command writes until nobody can write any more; a terminal says
// that with an error.
func (t *terminal) pump(from, to *os.File, kind Kind) {
	<-t.release
	data := make([]byte, chunk)
	for {
		n, err := from.Read(data)
		if n > 0 {
			_, _ = to.Write(data[:n]) // a full disk does not stop those attached
			t.send(kind, data[:n])
		}
		if err != nil {
			return
		}
	}
}

func (t *terminal) send(kind Kind, data []byte) {
	t.deliver.Lock()
	defer t.deliver.Unlock()
	t.mu.Lock()
	all := append([]*os.File(nil), t.attached...)
	t.mu.Unlock()
	for _, c := range all {
		_ = c.SetWriteDeadline(time.Now().Add(unread)) // a connection has deadlines
		if err := Write(c, kind, data); err != nil {
			t.detach(c)
			_ = c.Close()
		}
	}
}

// attach adds a connection and tells it so, with an empty piece of output.
func (t *terminal) attach(c *os.File) {
	t.deliver.Lock()
	defer t.deliver.Unlock()
	if Write(c, Attach, nil) != nil {
		return
	}
	t.mu.Lock()
	t.attached = append(t.attached, c)
	t.mu.Unlock()
	t.hurry()
}

func (t *terminal) detach(c *os.File) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, a := range t.attached {
		if a == c {
			t.attached = append(t.attached[:i], t.attached[i+1:]...)
			return
		}
	}
}

// write hands data to the command, and waits until it is taken.
func (t *terminal) write(data []byte) {
	<-t.started
	t.mu.Lock()
	input := t.input
	if len(data) == 0 && !t.tty {
		t.input = nil
	}
	t.mu.Unlock()
	switch {
	case input == nil:
	case len(data) > 0:
		_, _ = input.Write(data) // a command that has ended reads no more
	case !t.tty:
		_ = input.Close()
	}
}

// resize takes the size of a Window frame.
func (t *terminal) resize(data []byte) {
	<-t.started
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.tty || t.input == nil || len(data) != 4 {
		return
	}
	setSize(t.input, binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:]))
}

// hurry lets output go that waits for somebody.
func (t *terminal) hurry() { t.once.Do(func() { close(t.release) }) }

// drain returns when all output has been moved. Nobody is left who writes.
func (t *terminal) drain() {
	stop := time.AfterFunc(unattached, t.hurry)
	defer stop.Stop()
	t.copies.Wait()
}

func openTerminal(c *Config) ([]uintptr, []*os.File, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	slave, err := openSlave(master, c)
	if err != nil {
		_ = master.Close()
		return nil, nil, err
	}
	setSize(master, c.Rows, c.Columns)
	return []uintptr{slave, slave, slave}, []*os.File{master}, nil
}

func openSlave(master *os.File, c *Config) (uintptr, error) {
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return 0, err
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return 0, err
	}
	slave, err := syscall.Open("/dev/pts/"+strconv.Itoa(number), syscall.O_RDWR|syscall.O_NOCTTY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	own(slave, c.User)
	return uintptr(slave), nil
}

// setSize does nothing where the size is not known, nor if it cannot be set: programs
// have a size of their own for that.
func setSize(master *os.File, rows, columns uint16) {
	if rows > 0 && columns > 0 {
		_ = unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
	}
}

// openPipes makes three. The command's ends wait, the shim's do not.
func openPipes(u *User) (files []uintptr, kept []*os.File, err error) {
	for i := range 3 {
		var p [2]int
		if err := syscall.Pipe2(p[:], syscall.O_CLOEXEC); err != nil {
			closeAll(files)
			for _, k := range kept {
				_ = k.Close()
			}
			return nil, nil, err
		}
		theirs, ours := p[1], p[0]
		if i == 0 {
			theirs, ours = p[0], p[1]
		}
		own(theirs, u)
		_ = syscall.SetNonblock(ours, true) // else a thread waits, which works as well
		files = append(files, uintptr(theirs))
		kept = append(kept, os.NewFile(uintptr(ours), "pipe"))
	}
	return files, kept, nil
}

// own gives a file to the command's user, who may open it by its name in /proc. Without
// the right to, he cannot, and that is all.
func own(fd int, u *User) {
	if u != nil {
		_ = syscall.Fchown(fd, int(u.UID), int(u.GID))
	}
}

// closeAll closes each file once: a terminal stands there three times.
func closeAll(files []uintptr) {
	for i, f := range files {
		if i == 0 || f != files[i-1] {
			_ = syscall.Close(int(f))
		}
	}
}
