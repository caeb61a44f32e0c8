package shim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ExampleWrite() {
	var wire bytes.Buffer
	_ = Write(&wire, Signal, []byte{15})
	kind, data, _ := Read(&wire)
	fmt.Println(kind == Signal, data)
	// Output: true [15]
}

func TestFrames(t *testing.T) {
	var wire bytes.Buffer
	require.NoError(t, Write(&wire, Run, []byte("{}")))
	require.NoError(t, Write(&wire, Input, nil))
	whole := wire.Bytes()
	r := bytes.NewReader(whole)
	kind, data, err := Read(r)
	require.NoError(t, err)
	assert.Equal(t, Run, kind)
	assert.Equal(t, "{}", string(data))
	kind, data, err = Read(r)
	require.NoError(t, err)
	assert.Equal(t, Input, kind)
	assert.Empty(t, data)
	_, _, err = Read(r)
	require.ErrorIs(t, err, io.EOF)

	for cut := 1; cut < 7; cut++ {
		_, _, err := Read(bytes.NewReader(whole[:cut]))
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF, cut)
	}
	require.ErrorContains(t, Write(io.Discard, Run, make([]byte, MaxFrame+1)), "at most")
	_, _, err = Read(bytes.NewReader(binary.BigEndian.AppendUint32([]byte{1}, MaxFrame+1)))
	assert.ErrorContains(t, err, "at most")
}

func FuzzRead(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 2, '{', '}'})
	f.Add([]byte{4, 0, 0, 0, 0})
	f.Add([]byte{4, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, wire []byte) {
		if len(wire) >= frameHeader && binary.BigEndian.Uint32(wire[1:]) > 1<<16 {
			return // the reader believes the length as far as its bound, which is memory only
		}
		kind, data, err := Read(bytes.NewReader(wire))
		if err != nil {
			return
		}
		var again bytes.Buffer
		require.NoError(t, Write(&again, kind, data))
		assert.Equal(t, wire[:again.Len()], again.Bytes())
	})
}

func TestLookUp(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(folder+"/tool", nil, 0o755))
	require.NoError(t, os.WriteFile(folder+"/data", nil, 0o644))
	require.NoError(t, os.Mkdir(folder+"/folder", 0o755))
	with := func(path string) Command {
		return Command{Path: path, Environment: []string{"PATH=/nowhere", "PATH=/gone:" + folder}}
	}
	path, err := lookUp(with("tool"))
	require.NoError(t, err)
	assert.Equal(t, folder+"/tool", path)
	for _, missing := range []string{"data", "folder", "other"} {
		_, err := lookUp(with(missing))
		assert.ErrorIs(t, err, os.ErrNotExist, missing)
	}
	_, err = lookUp(with(""))
	require.ErrorContains(t, err, "is empty")
	path, err = lookUp(with("./with/slash"))
	require.NoError(t, err)
	assert.Equal(t, "./with/slash", path)
}

func TestMainWithoutSense(t *testing.T) {
	for _, arguments := range [][]string{nil, {"fly"}} {
		assert.Equal(t, 2, Main(arguments))
	}
	assert.Equal(t, 1, Main([]string{"execute"}))
}
