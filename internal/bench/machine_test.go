package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVmRSS(t *testing.T) {
	t.Run("reads kilobytes", func(t *testing.T) {
		bytes, err := vmRSS("Name:\tmesos-slave\nVmPeak:\t 9000 kB\nVmRSS:\t   23456 kB\nRssAnon:\t 100 kB\n")
		require.NoError(t, err)
		assert.InDelta(t, 23456.0*1024, bytes, 0)
	})
	t.Run("says that there is none, as for a process that has ended", func(t *testing.T) {
		_, err := vmRSS("Name:\tmesos-slave\nState:\tZ (zombie)\n")
		assert.EqualError(t, err, "the status file has no line VmRSS")
	})
	t.Run("refuses what is no number", func(t *testing.T) {
		_, err := vmRSS("VmRSS:\tmuch kB\n")
		assert.Error(t, err)
	})
	t.Run("is there for this process", func(t *testing.T) {
		bytes, err := resident(os.Getpid())
		require.NoError(t, err)
		assert.Greater(t, bytes, 1e6)
	})
}

func TestPrettyName(t *testing.T) {
	assert.Equal(t, "Debian GNU/Linux 12", prettyName("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\nVERSION=12\n"))
	assert.Equal(t, "unknown system", prettyName("ID=debian\n"))
}
