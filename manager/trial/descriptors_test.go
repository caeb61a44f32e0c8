package trial

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A program that is tried is started by Go's runtime, which reads a pipe until its end:
// were that in the copy, it would wait for ever.
func TestApartHasNothingThatIsOpenedLater(t *testing.T) {
	for range 100 {
		jobs := apart()
		r, w, err := os.Pipe()
		require.NoError(t, err)
		fd, seen := int(w.Fd()), make(chan error, 1)
		jobs <- func() {
			_, err := at(fd)
			seen <- err
		}
		require.ErrorIs(t, <-seen, unix.EBADF)
		close(jobs)
		require.NoError(t, r.Close())
		require.NoError(t, w.Close())
	}
}
