package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/user"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/apihttp"
)

// MaxEntries bounds a listing.
const MaxEntries = 100_000

// ErrTooMany: a folder has more than MaxEntries entries.
var ErrTooMany = errors.New("the folder has too many entries to list")

// Browse lists a folder, by path; of a file the list is empty. The paths are the requested one and a name.
func (f *Files) Browse(ctx context.Context, who *apihttp.Principal, virtual string) ([]*mesosv1.FileInfo, error) {
	p, err := f.resolve(ctx, who, virtual)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if !p.info.IsDir() {
		return nil, nil
	}
	names, err := p.names()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", virtual, err)
	}
	owners := owners{users: map[uint32]string{}, groups: map[uint32]string{}}
	list := make([]*mesosv1.FileInfo, 0, len(names))
	for _, name := range names {
		below := path.Join(p.name, name)
		info, err := p.root.Stat(below)
		if err != nil { // a link that leads nowhere, or out
			info, err = p.root.Lstat(below)
		}
		if err != nil {
			continue // it has gone
		}
		list = append(list, owners.describe(strings.TrimRight(virtual, "/")+"/"+name, info))
	}
	slices.SortFunc(list, func(a, b *mesosv1.FileInfo) int { return cmp.Compare(a.GetPath(), b.GetPath()) })
	return list, nil
}

func (p *place) names() ([]string, error) {
	folder, err := p.root.OpenFile(p.name, syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, cause(err)
	}
	defer folder.Close()
	names, err := folder.Readdirnames(MaxEntries + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, cause(err)
	}
	if len(names) > MaxEntries {
		return nil, fmt.Errorf("%w: more than %d", ErrTooMany, MaxEntries)
	}
	return names, nil
}

// owners remembers the names of users and groups for one listing.
type owners struct{ users, groups map[uint32]string }

func (o owners) describe(virtual string, info fs.FileInfo) *mesosv1.FileInfo {
	d := &mesosv1.FileInfo{
		Path: &virtual, Size: proto.Uint64(uint64(info.Size())),
		Mtime: &mesosv1.TimeInfo{Nanoseconds: proto.Int64(info.ModTime().UnixNano())},
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		d.Mode, d.Nlink = &stat.Mode, proto.Int32(int32(stat.Nlink))
		d.Uid, d.Gid = proto.String(o.user(stat.Uid)), proto.String(o.group(stat.Gid))
	}
	return d
}

// user is the name of a user, or the number if there is none.
func (o owners) user(id uint32) string {
	if name, known := o.users[id]; known {
		return name
	}
	name := strconv.FormatUint(uint64(id), 10)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	o.users[id] = name
	return name
}

func (o owners) group(id uint32) string {
	if name, known := o.groups[id]; known {
		return name
	}
	name := strconv.FormatUint(uint64(id), 10)
	if g, err := user.LookupGroupId(name); err == nil {
		name = g.Name
	}
	o.groups[id] = name
	return name
}

// modeText writes a mode as ls does: -rw-r--r--.
func modeText(mode uint32) string {
	kinds := map[uint32]byte{
		syscall.S_IFDIR: 'd', syscall.S_IFLNK: 'l', syscall.S_IFCHR: 'c', syscall.S_IFBLK: 'b',
		syscall.S_IFIFO: 'p', syscall.S_IFSOCK: 's', syscall.S_IFREG: '-',
	}
	text := []byte("?rwxrwxrwx")
	if kind, known := kinds[mode&syscall.S_IFMT]; known {
		text[0] = kind
	}
	for i := range 9 {
		if mode&(1<<(8-i)) == 0 {
			text[1+i] = '-'
		}
	}
	for _, special := range []struct {
		bit           uint32
		at            int
		with, without byte
	}{{syscall.S_ISUID, 3, 's', 'S'}, {syscall.S_ISGID, 6, 's', 'S'}, {syscall.S_ISVTX, 9, 't', 'T'}} {
		switch {
		case mode&special.bit == 0:
		case text[special.at] == 'x':
			text[special.at] = special.with
		default:
			text[special.at] = special.without
		}
	}
	return string(text)
}
