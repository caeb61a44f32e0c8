package moduletest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/containerlogger"
)

func containerLoggerChecks() []check {
	return []check{
		{"what Prepare returns can be written to", func(b *bench) {
			_, l := loaded[containerlogger.ContainerLogger](b)
			files, err := l.Prepare(b.Context(), containerID("logged"), b.logged())
			require.NoError(b, err)
			for _, io := range []*slave.ContainerIO_IO{files.GetOut(), files.GetErr()} {
				require.NoError(b, writable(io))
			}
		}},
		{"output is added to what is there", func(b *bench) {
			_, l := loaded[containerlogger.ContainerLogger](b)
			config := b.logged()
			for range 2 {
				files, err := l.Prepare(b.Context(), containerID("logged"), config)
				require.NoError(b, err)
				require.NoError(b, writable(files.GetOut()))
			}
			files, err := l.Prepare(b.Context(), containerID("logged"), config)
			require.NoError(b, err)
			if path := files.GetOut().GetPath(); path != "" && !isPipe(path) {
				text, err := os.ReadFile(path)
				require.NoError(b, err)
				assert.Equal(b, "line\nline\n", string(text))
			}
		}},
		{"calls for different containers come from any number of goroutines at once", func(b *bench) {
			k, l := loaded[containerlogger.ContainerLogger](b)
			k.Hammer(6, 5, func(ctx context.Context, g, call int) error {
				files, err := l.Prepare(ctx, containerID(fmt.Sprint("c", g, "-", call)), b.logged())
				if err != nil {
					return err
				}
				return writable(files.GetOut())
			})
		}},
		{"a cancelled ctx is an error or an answer", func(b *bench) {
			k, l := loaded[containerlogger.ContainerLogger](b)
			b.returns("Prepare", func() {
				_, _ = l.Prepare(ended(), containerID("cancelled"), b.logged()) // an error is an answer
			})
			assert.Empty(b, panics(k))
		}},
	}
}

// isPipe says that somebody else has the output, who may have gone with it.
func isPipe(path string) bool {
	info, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeNamedPipe != 0
}

// logged is a container that would write something.
func (b *bench) logged() *slave.ContainerConfig {
	return &slave.ContainerConfig{Directory: proto.String(b.TempDir()), CommandInfo: &mesosv1.CommandInfo{Value: proto.String("echo line")}}
}

// writable writes a line, as a container would. What is not set goes nowhere.
func writable(io *slave.ContainerIO_IO) error {
	switch {
	case io == nil:
		return nil
	case io.GetType() != slave.ContainerIO_IO_PATH:
		return fmt.Errorf("output goes to %v; there is PATH", io.GetType())
	case !filepath.IsAbs(io.GetPath()):
		return fmt.Errorf("the path %q is not absolute", io.GetPath())
	}
	f, err := os.OpenFile(io.GetPath(), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString("line\n")
	return err
}
