package descriptor

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// block is memory with an end, at address 0x1000.
type block []byte

const start = 0x1000

func (b block) Read(addr uint64, n int) []byte {
	if addr < start || addr >= start+uint64(len(b)) {
		return nil
	}
	rest := b[addr-start:]
	return rest[:min(n, len(rest), 7)] // short, as at a border
}

func (b block) Pointer(addr uint64) (uint64, bool, bool) {
	word := exactly(b, addr, 8)
	if word == nil {
		return 0, false, false
	}
	return binary.LittleEndian.Uint64(word), false, true
}

// library is a descriptor whose first text begins at its end.
func library(texts string) block {
	b := make(block, 48)
	copy(b, "MMSLIB\x00\x01")
	binary.LittleEndian.PutUint32(b[8:], 48)
	binary.LittleEndian.PutUint64(b[16:], start+48)
	binary.LittleEndian.PutUint64(b[24:], start+48)
	return append(b, texts...)
}

func TestKindOf(t *testing.T) {
	for magic, want := range map[string]Kind{
		"MMSLIB\x00\x01": Library, "MMSMOD\x00\x01": Module, "MMSHDR\x00\x01": Header, "MMSMOD\x00\x02": None, "MMSROL\x00\x01": None, "MMS": None,
	} {
		assert.Equal(t, want, KindOf(block(magic), start), "%q", magic)
	}
	assert.Equal(t, None, KindOf(block("MMSLIB\x00\x01"), 0))
}

func TestReadLibrary(t *testing.T) {
	t.Run("reads texts up to the last byte there is", func(t *testing.T) {
		l := ReadLibrary(library("1\x00"), start)
		assert.Equal(t, LibraryText{MMSVersion: "1", MesosVersion: "1"}, l)
	})
	t.Run("notices a text without an end", func(t *testing.T) {
		l := ReadLibrary(library("1"), start)
		assert.Equal(t, []string{"mms_version has no end", "mesos_version has no end"}, l.Flaws)
	})
	t.Run("notices a text that is not there", func(t *testing.T) {
		l := ReadLibrary(library(""), start)
		assert.Equal(t, []string{"mms_version lies outside the library", "mesos_version lies outside the library"}, l.Flaws)
	})
	t.Run("notices a descriptor that is not all there", func(t *testing.T) {
		l := ReadLibrary(library("")[:40], start)
		assert.Equal(t, []string{"the descriptor of 48 bytes reaches beyond the library"}, l.Flaws)
	})
	t.Run("does not cut a character in two", func(t *testing.T) {
		l := ReadLibrary(library("a"+strings.Repeat("ö", 200)+"\x00"), start)
		assert.Equal(t, "a"+strings.Repeat("ö", 127), l.MMSVersion)
		assert.Equal(t, "mms_version is longer than 256 bytes", l.Flaws[0])
		assert.NotContains(t, strings.Join(l.Flaws, " "), "UTF-8")
	})
}

func TestRoleOf(t *testing.T) {
	table := make(block, 8+24)
	binary.LittleEndian.PutUint64(table, start+8)
	copy(table[8:], "MMSROL\x00\x01")
	binary.LittleEndian.PutUint64(table[8+16:], start+32)

	role, err := RoleOf(append(table, "Calculator\x00"...), start)
	assert.NoError(t, err)
	assert.Equal(t, "Calculator", role)
	_, err = RoleOf(append(table, "Calc"...), start)
	assert.ErrorContains(t, err, "its role has no end")
	_, err = RoleOf(table, start+8)
	assert.ErrorContains(t, err, "no role's table")
	_, err = RoleOf(table, 0)
	assert.ErrorContains(t, err, "does not begin with a role's table")
}
