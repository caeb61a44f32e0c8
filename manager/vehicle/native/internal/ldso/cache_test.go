package ldso

import (
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle/native/internal/image"
)

// index makes a cache of entries: flags, name, path.
func index(entries ...[3]any) []byte {
	head := make([]byte, 48)
	copy(head, cacheMagic)
	binary.LittleEndian.PutUint32(head[20:], uint32(len(entries)))
	texts := 48 + 24*len(entries)
	var table, strings []byte
	for _, e := range entries {
		row := make([]byte, 24)
		binary.LittleEndian.PutUint32(row, uint32(e[0].(int)))
		binary.LittleEndian.PutUint32(row[4:], uint32(texts+len(strings)))
		strings = append(append(strings, e[1].(string)...), 0)
		binary.LittleEndian.PutUint32(row[8:], uint32(texts+len(strings)))
		strings = append(append(strings, e[2].(string)...), 0)
		table = append(table, row...)
	}
	return append(append(head, table...), strings...)
}

func TestParseCache(t *testing.T) {
	t.Run("takes the libraries of the machine, the first of a name", func(t *testing.T) {
		content := index([3]any{0x0303, "liba.so", "/best/liba.so"}, [3]any{0x0303, "liba.so", "/liba.so"},
			[3]any{0x0a03, "libb.so", "/arm/libb.so"}, [3]any{3, "libc.so", "/32/libc.so"})
		assert.Equal(t, map[string]string{"liba.so": "/best/liba.so"}, parseCache(content, elf.EM_X86_64))
		assert.Equal(t, map[string]string{"libb.so": "/arm/libb.so"}, parseCache(content, elf.EM_AARCH64))
	})
	t.Run("finds the index behind one of the older form", func(t *testing.T) {
		content := append([]byte("ld.so-1.7.0\x00\x00\x00\x00\x00"), index([3]any{0x0303, "liba.so", "/liba.so"})...)
		assert.Equal(t, map[string]string{"liba.so": "/liba.so"}, parseCache(content, elf.EM_X86_64))
	})
	t.Run("takes nothing from what is cut or is none", func(t *testing.T) {
		whole := index([3]any{0x0303, "liba.so", "/liba.so"})
		for cut := range whole {
			found := parseCache(whole[:cut], elf.EM_X86_64)
			assert.Empty(t, found, "cut at %d", cut)
		}
		assert.Empty(t, readCache(filepath.Join(t.TempDir(), "none"), elf.EM_X86_64))
	})
	t.Run("takes nothing from an absurd count", func(t *testing.T) {
		content := index()
		binary.LittleEndian.PutUint32(content[20:], 0xffffffff)
		assert.Empty(t, parseCache(content, elf.EM_X86_64))
	})
}

func TestExpand(t *testing.T) {
	by := &step{object: &object{path: "/opt/mods/lib.so"}}
	for _, c := range []struct {
		path string
		want []string
	}{
		{"/a/b", []string{"/a/b"}},
		{"$ORIGIN/../x", []string{"/opt/mods/../x"}},
		{"${ORIGIN}/$PLATFORM", []string{"/opt/mods/x86_64"}},
		{"/usr/$LIB", []string{"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"}},
	} {
		assert.Equal(t, c.want, expand(c.path, by, elf.EM_X86_64))
	}
}

func TestSearched(t *testing.T) {
	r := New(image.Host(), "/ld/path;:/second")
	above := &step{object: &object{path: "/a/lib.so", rpath: "/rpath/a"}}
	t.Run("RPATH of the library and of those above, then LD_LIBRARY_PATH", func(t *testing.T) {
		by := &step{object: &object{path: "/b/lib.so", rpath: "/rpath/b"}, parent: above}
		assert.Equal(t, [][]string{{"/rpath/b"}, {"/rpath/a"}, {"/ld/path", "/second"}}, r.searched(by))
	})
	t.Run("RUNPATH comes last and takes RPATH out of the race", func(t *testing.T) {
		by := &step{object: &object{path: "/b/lib.so", rpath: "/rpath/b", runpath: "/run:$ORIGIN"}, parent: above}
		assert.Equal(t, [][]string{{"/ld/path", "/second"}, {"/run", "/b"}}, r.searched(by))
	})
	t.Run("a name with a slash is a path", func(t *testing.T) {
		assert.Nil(t, r.find("./nowhere.so", above))
	})
	t.Run("finds the C library of this machine", func(t *testing.T) {
		o := r.find("libc.so.6", nil)
		require.NotNil(t, o)
		assert.True(t, o.image.Defines("malloc"))
		assert.False(t, o.image.Defines("no_such_function"))
		assert.True(t, o.image.HasVersion("GLIBC_2.17"))
		assert.Same(t, o, r.find("libc.so.6", nil), "it is read once")
		require.NotEmpty(t, o.path)
		_, err := os.Stat(o.path)
		require.NoError(t, err)
	})
}
