package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const seedFolder = "../../testdata/seeds/"

func seed(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(seedFolder, name))
	require.NoError(t, err)
	return b
}

// machineOf is the machine the seeds were made for.
const machineOf = elf.EM_X86_64

func readBytes(b []byte, want elf.Machine) (*Image, error) {
	return Read(bytes.NewReader(b), int64(len(b)), want)
}

func addressOf(t testing.TB, im *Image, symbol string) uint64 {
	t.Helper()
	for _, s := range im.Objects(func(uint64, uint64) bool { return true }) {
		if s.Name == symbol {
			return s.Value
		}
	}
	require.Failf(t, "no such symbol", "%s", symbol)
	return 0
}

// word follows a pointer at an offset of the descriptor "bare" to a text.
func word(t testing.TB, im *Image, offset uint64) string {
	t.Helper()
	at, outside, ok := im.Pointer(addressOf(t, im, "bare") + offset)
	require.True(t, ok)
	require.False(t, outside)
	b := im.Read(at, 64)
	return string(b[:max(0, bytes.IndexByte(b, 0))])
}

func TestPointer(t *testing.T) {
	const role, version, requirements, name = 40, 48, 80, 16
	for _, file := range []string{"bare.so", "sysv.so", "relr.so", "sections.so"} {
		t.Run("follows the relocations of "+file, func(t *testing.T) {
			im, err := readBytes(seed(t, file), machineOf)
			require.NoError(t, err)
			assert.Equal(t, "Calculator", word(t, im, role))
			assert.Equal(t, "1.2.0", word(t, im, version))
			at, _, ok := im.Pointer(addressOf(t, im, "bare") + name)
			assert.True(t, ok)
			assert.Zero(t, at, "null is no address")
			at, _, ok = im.Pointer(addressOf(t, im, "bare") + requirements)
			assert.True(t, ok)
			assert.NotZero(t, at)
			_, _, ok = im.Pointer(addressOf(t, im, "bare")) // the magic
			assert.False(t, ok, "what no relocation makes an address is none")
		})
	}
	t.Run("knows the relocations of AArch64", func(t *testing.T) {
		b := seed(t, "sections.so")
		f, err := elf.NewFile(bytes.NewReader(b))
		require.NoError(t, err)
		table := f.Section(".rela.dyn")
		require.NotNil(t, table)
		types := map[elf.R_X86_64]elf.R_AARCH64{elf.R_X86_64_RELATIVE: elf.R_AARCH64_RELATIVE, elf.R_X86_64_64: elf.R_AARCH64_ABS64}
		for at := table.Offset; at < table.Offset+table.Size; at += 24 {
			info := binary.LittleEndian.Uint64(b[at+8:])
			other, ok := types[elf.R_X86_64(uint32(info))]
			require.True(t, ok)
			binary.LittleEndian.PutUint64(b[at+8:], info&^0xffffffff|uint64(other))
		}
		binary.LittleEndian.PutUint16(b[18:], uint16(elf.EM_AARCH64))
		im, err := readBytes(b, elf.EM_AARCH64)
		require.NoError(t, err)
		assert.Equal(t, "Calculator", word(t, im, role))
	})
}

func TestRelr(t *testing.T) {
	// An address, a bitmap for the 63 words behind it, one for the next 63.
	table := make([]byte, 24)
	binary.LittleEndian.PutUint64(table, 0x1000)
	binary.LittleEndian.PutUint64(table[8:], 1|1<<1|1<<63)
	binary.LittleEndian.PutUint64(table[16:], 1|1<<2)
	im := &Image{}
	im.readRelr(table)
	var found []uint64
	for addr := uint64(0xff0); addr < 0x1600; addr++ {
		if im.isPacked(addr) {
			found = append(found, addr)
		}
	}
	assert.Equal(t, []uint64{0x1000, 0x1008, 0x1008 + 62*8, 0x1008 + 63*8 + 8}, found)
}

func TestDefines(t *testing.T) {
	// The loader's hash table against a look at every symbol.
	path := "/lib/x86_64-linux-gnu/libc.so.6"
	if Host() != elf.EM_X86_64 {
		path = "/lib/aarch64-linux-gnu/libc.so.6"
	}
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close() //nolint:errcheck // nothing was written
	info, err := f.Stat()
	require.NoError(t, err)
	im, err := ReadExports(f, info.Size(), Host())
	require.NoError(t, err)
	assert.Equal(t, "libc.so.6", im.Soname)

	slow := *im.Exports
	slow.gnu = gnuHash{}
	defined := 0
	for i := range im.count() {
		name := im.symbol(i).Name
		if i%7 == 0 {
			require.Equal(t, slow.Defines(name), im.Defines(name), name)
		}
		if im.defined(i) {
			defined++
			require.True(t, im.Defines(name), name)
		}
	}
	assert.Greater(t, defined, 1000)
	for _, name := range []string{"", "no_such_function", "mallo", "malloc2"} {
		assert.Equal(t, slow.Defines(name), im.Defines(name), name)
		assert.False(t, im.Defines(name), name)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		patch func(b []byte)
		want  string
	}{
		{"the class", func(b []byte) { b[4] = 7 }, "class 7 is neither 32 nor 64 bit"},
		{"the version", func(b []byte) { b[6] = 9 }, "damaged: version 9"},
		{"the system", func(b []byte) { b[7] = 9 }, "is for another system"},
		{"the type", func(b []byte) { b[16] = 200 }, "of the unknown type 200"},
		{"no program headers", func(b []byte) { b[56] = 0 }, "0 program headers"},
		{"program headers of another size", func(b []byte) { b[54] = 8 }, "program headers of 8 bytes"},
		{"program headers beyond the end", func(b []byte) { b[39] = 0x7f }, "its program headers"},
		{"section headers beyond the end", func(b []byte) { b[47] = 0x7f }, "its section table"},
		{"section headers of another size", func(b []byte) { b[58] = 8 }, "section headers of 8 bytes"},
		{"a segment beyond the end", func(b []byte) { b[64+8+7] = 0xff }, "truncated"},
		{"nothing to be loaded", func(b []byte) {
			for i := range int(b[56]) {
				if b[64+56*i] == byte(elf.PT_LOAD) {
					b[64+56*i] = byte(elf.PT_NULL)
				}
			}
		}, "nothing of it would be loaded"},
		{"no dynamic section", func(b []byte) {
			for i := range int(b[56]) {
				if b[64+56*i] == byte(elf.PT_DYNAMIC) {
					b[64+56*i] = byte(elf.PT_NULL)
				}
			}
		}, "has no dynamic section"},
		{"two dynamic sections", func(b []byte) {
			for i := range int(b[56]) {
				if b[64+56*i] == byte(elf.PT_LOAD) {
					b[64+56*i] = byte(elf.PT_DYNAMIC)
				}
			}
		}, "two dynamic sections"},
	} {
		t.Run("names "+c.name, func(t *testing.T) {
			b := seed(t, "bare.so")
			c.patch(b)
			_, err := readBytes(b, machineOf)
			var fault *Fault
			require.ErrorAs(t, err, &fault)
			assert.Contains(t, fault.Problem, c.want)
		})
	}
	t.Run("names damaged tables", func(t *testing.T) {
		for tag, want := range map[elf.DynTag]string{
			elf.DT_STRTAB: "string table", elf.DT_SYMTAB: "symbol table", elf.DT_GNU_HASH: "hash table", elf.DT_RELA: "relocations", elf.DT_SYMENT: "symbol table",
		} {
			b := seed(t, "bare.so")
			at := dynamicEntry(t, b, tag)
			binary.LittleEndian.PutUint64(b[at+8:], 0x7fffffffffffffff)
			_, err := readBytes(b, machineOf)
			assert.ErrorContains(t, err, want)
		}
	})
	t.Run("takes no memory for absurd lengths", func(t *testing.T) {
		for _, tag := range []elf.DynTag{elf.DT_STRSZ, elf.DT_RELASZ} {
			b := seed(t, "bare.so")
			binary.LittleEndian.PutUint64(b[dynamicEntry(t, b, tag)+8:], 1<<62)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := readBytes(b, machineOf)
			runtime.ReadMemStats(&after)
			require.Error(t, err)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
		}
	})
	t.Run("another machine than those two is not supported", func(t *testing.T) {
		_, err := readBytes(seed(t, "bare.so"), elf.EM_RISCV)
		assert.ErrorContains(t, err, "not supported on RISC-V")
	})
}

// dynamicEntry is the place of a tag in the file.
func dynamicEntry(t testing.TB, b []byte, tag elf.DynTag) int {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(b))
	require.NoError(t, err)
	for _, p := range f.Progs {
		if p.Type != elf.PT_DYNAMIC {
			continue
		}
		for at := p.Off; at < p.Off+p.Filesz; at += 16 {
			if elf.DynTag(binary.LittleEndian.Uint64(b[at:])) == tag {
				return int(at)
			}
		}
	}
	require.Failf(t, "no such tag", "%v", tag)
	return 0
}

func TestBuild(t *testing.T) {
	im, err := readBytes(seed(t, "plain.so"), machineOf)
	require.NoError(t, err)
	assert.Equal(t, "plain.so", im.Soname)
	assert.Equal(t, "$ORIGIN", im.Runpath+im.Rpath)
	assert.Empty(t, im.Undefined())
	assert.False(t, im.HasSection(".go.buildinfo"))
	assert.True(t, im.HasSection(".dynsym"))
	assert.NotEmpty(t, im.Comment())
	start, end := im.Span()
	assert.Less(t, start, end)
}
