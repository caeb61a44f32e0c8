package rotate

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// file is a file that is rotated. It belongs to one goroutine.
//
// Its folder may be anybody's, so no name in it is trusted: files are opened without
// following links, what is packed is read by the descriptor it was written by, and a name
// that is in the way costs what it stands for, not the bound on the size.
type file struct {
	Stream
	report reports

	f       *os.File
	size    int64
	middle  bool // what was written last has no line end
	lost    int64
	because error
	packer  *gzip.Writer
}

// reports are told what goes wrong.
type reports interface {
	fault(err error)
	lost(n int64, why error)
}

const (
	packed = ".gz"
	part   = ".part"
)

// openFile goes on where another process may have stopped half way.
func openFile(s Stream, report reports) (*file, error) {
	l := &file{Stream: s, report: report}
	if err := l.open(); err != nil {
		return nil, err
	}
	_ = os.Remove(l.name(1, packed+part))
	if _, err := os.Lstat(l.name(1, packed)); err == nil {
		_ = os.Remove(l.name(1, "")) // it was packed, and not removed any more
	}
	return l, nil
}

// open opens the file, and leaves the old one as it is if that fails.
func (l *file) open() error {
	// Open for both, a pipe in its place does not hold the program up.
	f, err := os.OpenFile(l.File, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no plain file", l.File)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.f, l.size, l.middle = f, info.Size(), false
	return nil
}

// name is that of a file that was rotated away.
func (l *file) name(number int, extension string) string {
	return l.File + "." + strconv.Itoa(number) + extension
}

// write takes output. Where a file is full, it goes on in the next one: behind the last
// line that fits, if there is one.
func (l *file) write(p []byte) {
	for len(p) > 0 {
		room := max(0, l.MaxSize-l.size)
		n := len(p)
		if int64(n) > room {
			n = bytes.LastIndexByte(p[:room], '\n') + 1
			if n == 0 && (l.middle || l.size == 0) {
				n = int(room) // a line that is longer than a file, or was begun in this one
			}
		}
		if n > 0 {
			l.append(p[:n])
			p = p[n:]
		}
		if len(p) > 0 {
			l.rotate()
		}
	}
}

// append loses what the disk does not take, and says so in the file as soon as it does.
func (l *file) append(p []byte) {
	if l.lost > 0 && !l.confess() {
		l.lose(len(p), l.because)
		return
	}
	n, err := l.f.Write(p)
	l.size += int64(n)
	if n > 0 {
		l.middle = p[n-1] != '\n'
	}
	if err != nil {
		l.lose(len(p)-n, err)
	}
}

func (l *file) lose(n int, err error) {
	if l.lost == 0 {
		l.report.fault(err)
	}
	l.lost += int64(n)
	l.because = err
}

// confess writes a line about what was lost, or nothing.
func (l *file) confess() bool {
	why := l.because
	var of *fs.PathError
	if errors.As(why, &of) {
		why = of.Err
	}
	text := fmt.Sprintf("[%d bytes of output were lost here: %v]\n", l.lost, why)
	if l.middle {
		text = "\n" + text
	}
	n, err := l.f.WriteString(text)
	if err != nil {
		if n > 0 && l.f.Truncate(l.size) != nil {
			l.size += int64(n)
		}
		l.because = err
		return false
	}
	l.report.lost(l.lost, why)
	l.size += int64(n)
	l.lost, l.middle = 0, false
	return true
}

// rotate begins a new file. If that cannot be, the old one begins anew: its size is what
// has to hold.
func (l *file) rotate() {
	if err := l.shift(); err != nil {
		l.report.fault(err)
		l.restart(err)
	}
}

// restart loses what is in the file.
func (l *file) restart(why error) {
	if err := l.f.Truncate(0); err != nil {
		l.report.fault(err)
	}
	if l.MaxFiles > 0 {
		l.lost += l.size
		l.because = why
	}
	l.size, l.middle = 0, false
}

// shift gives every file the next number, and removes the oldest.
func (l *file) shift() error {
	if l.MaxFiles == 0 {
		l.restart(nil)
		return nil
	}
	for number := l.MaxFiles; number > 0; number-- {
		for _, extension := range []string{"", packed} {
			if err := l.advance(number, extension); err != nil {
				return err
			}
		}
	}
	if err := os.Rename(l.File, l.name(1, "")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	old, size := l.f, l.size
	if err := l.open(); err != nil {
		return err
	}
	if l.Compress {
		if err := l.pack(old, size); err != nil {
			l.report.fault(err) // it is there as it was
		}
	}
	return old.Close()
}

// advance makes room for the file of the number below.
func (l *file) advance(number int, extension string) error {
	from := l.name(number, extension)
	err := error(nil)
	if number == l.MaxFiles {
		err = os.Remove(from)
	} else {
		err = os.Rename(from, l.name(number+1, extension))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// pack replaces the newest file by a packed one, which is there as a whole or not at all.
func (l *file) pack(from *os.File, size int64) error {
	name := l.name(1, packed+part)
	_ = os.Remove(name)
	to, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if l.packer == nil {
		l.packer, _ = gzip.NewWriterLevel(to, gzip.BestSpeed) // the level is one there is
	} else {
		l.packer.Reset(to)
	}
	_, err = io.Copy(l.packer, io.NewSectionReader(from, 0, size))
	err = errors.Join(err, l.packer.Close(), to.Close())
	if err == nil {
		err = os.Rename(name, l.name(1, packed))
	}
	if err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return os.Remove(l.name(1, ""))
}

// close says what is still to be said.
func (l *file) close() error {
	if l.lost > 0 && !l.confess() {
		l.report.lost(l.lost, l.because)
	}
	return l.f.Close()
}
