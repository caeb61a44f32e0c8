package goplugin

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSymbolsAreNotUnpacked(t *testing.T) {
	self, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	whole, err := elf.NewFile(bytes.NewReader(self))
	require.NoError(t, err)
	for i, s := range whole.Sections {
		if s.Type != elf.SHT_DYNSYM {
			continue
		}
		// The table is said to be compressed, and stands behind the rest of the file.
		var packed bytes.Buffer
		require.NoError(t, binary.Write(&packed, binary.LittleEndian, elf.Chdr64{Type: uint32(elf.COMPRESS_ZLIB), Size: 1 << 20, Addralign: 8}))
		z := zlib.NewWriter(&packed)
		_, err := z.Write(make([]byte, 1<<20))
		require.NoError(t, err)
		require.NoError(t, z.Close())
		head := self[binary.LittleEndian.Uint64(self[40:])+uint64(i)*64:]
		binary.LittleEndian.PutUint64(head[8:], uint64(elf.SHF_COMPRESSED))
		binary.LittleEndian.PutUint64(head[24:], uint64(len(self)))
		binary.LittleEndian.PutUint64(head[32:], uint64(packed.Len()))
		self = append(self, packed.Bytes()...)
	}
	bomb, err := elf.NewFile(bytes.NewReader(self))
	require.NoError(t, err)
	im := image{packages: map[string]string{}}
	assert.EqualError(t, im.readSymbols(bomb), `symbol table: section ".dynsym" is compressed`)
}
