package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"unicode/utf8"

	"github.com/mesos-modules/mms/internal/apihttp"
)

// MaxRead is the most that is read at a time: sixteen pages, as in Mesos.
var MaxRead = int64(os.Getpagesize()) * 16

// End stands for the end of a file, as an offset, and for all that is left, as a length.
const End = -1

// Content is a part of a file.
type Content struct {
	Data   []byte
	Offset int64 // of Data in the file
	Size   int64 // of the file
}

// Read reads a part of a file: at most length bytes, and never more than MaxRead. An offset of End reads nothing and
// tells the file's size as offset; beyond the end there is nothing.
func (f *Files) Read(ctx context.Context, who *apihttp.Principal, virtual string, offset, length int64) (Content, error) {
	if offset < End || length < End {
		return Content{}, fmt.Errorf("%s: offset %d, length %d: %w", virtual, offset, length, ErrRange)
	}
	p, err := f.resolve(ctx, who, virtual)
	if err != nil {
		return Content{}, err
	}
	defer p.close()
	file, err := p.open()
	if err != nil {
		return Content{}, fmt.Errorf("%s: %w", virtual, err)
	}
	defer file.Close()
	content, err := read(file, offset, length)
	if err != nil {
		return Content{}, fmt.Errorf("%s: %w", virtual, err)
	}
	return content, nil
}

// ReadFile is Read as the call READ_FILE has it: no length is all that is left.
func (f *Files) ReadFile(ctx context.Context, who *apihttp.Principal, virtual string, offset uint64, length *uint64) (Content, error) {
	most := int64(End)
	if length != nil {
		most = int64(min(*length, uint64(MaxRead)))
	}
	if offset > math.MaxInt64 {
		return Content{}, fmt.Errorf("%s: offset %d: %w", virtual, offset, ErrRange)
	}
	return f.Read(ctx, who, virtual, int64(offset), most)
}

func read(file *os.File, offset, length int64) (Content, error) {
	info, err := file.Stat()
	if err != nil {
		return Content{}, cause(err)
	}
	size := info.Size()
	if offset == End {
		return Content{Offset: size, Size: size}, nil
	}
	left := max(0, size-offset)
	if length == End || length > left {
		length = left
	}
	data := make([]byte, min(length, MaxRead))
	n, err := file.ReadAt(data, offset)
	if err != nil && !errors.Is(err, io.EOF) { // it has become shorter
		return Content{}, cause(err)
	}
	return Content{Data: data[:n], Offset: offset, Size: size}, nil
}

// text is the content as text. A character that the end of the part has cut in two is left for the next one.
func (c Content) text() string {
	data := c.Data
	if c.Offset+int64(len(data)) < c.Size {
		for cut := 1; cut < utf8.UTFMax && cut < len(data); cut++ {
			if start := len(data) - cut; utf8.RuneStart(data[start]) {
				if !utf8.FullRune(data[start:]) {
					data = data[:start]
				}
				break
			}
		}
	}
	return string(data)
}
