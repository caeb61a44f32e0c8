package gc_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mesos-modules/mms/internal/slave/gc"
)

func Example() {
	work, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(work)
	sandbox := filepath.Join(work, "sandbox")
	if err := os.Mkdir(sandbox, 0o755); err != nil {
		fmt.Println(err)
		return
	}
	c, err := gc.New(gc.Config{Folder: work, Delay: 7 * 24 * time.Hour, Headroom: 0.1, Interval: time.Minute})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	lastMonth := time.Now().Add(-30 * 24 * time.Hour)
	err = c.Schedule(sandbox, lastMonth, func(err error) {
		_, gone := os.Stat(sandbox)
		fmt.Println(err, os.IsNotExist(gone))
		cancel()
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	c.Run(ctx)
	// Output: <nil> true
}
