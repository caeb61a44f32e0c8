package clusterfaults_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
)

var (
	seed   = flag.Uint64("chaos.seed", 1, "what the delays of TestKill come from")
	rounds = flag.Int("chaos.rounds", 2, "how often each victim is killed at each point")
)

// points of a task's life, in order.
var points = []point{offerSent, acceptSent, atTheAgent, launched, starting, running, terminalSent, acknowledged}

// Victims. The launcher is the parent of the executor, which stays until that ends.
const (
	theMaster   = "master"
	theSlave    = "slave"
	theExecutor = "mesos-executor"
	theLauncher = "mesos-containerizer"
)

// TestKill kills one process at one point, with delays that come from the seed, and
// looks at what everybody believes when all is over.
func TestKill(t *testing.T) {
	for i, victim := range []string{theMaster, theSlave, theExecutor, theLauncher} {
		t.Run(victim, func(t *testing.T) {
			t.Parallel()
			h := newHavoc(t, victim, rand.New(rand.NewPCG(*seed, uint64(i))))
			for round := range *rounds {
				for _, p := range points {
					h.round(t, p, fmt.Sprintf("%s-%d", filepath.Base(string(p)), round))
				}
			}
			h.settled(t)
		})
	}
}

// havoc is a cluster with one framework and one victim.
type havoc struct {
	c      *cluster.Cluster
	dir    string
	f      *framework
	random *rand.Rand
	victim string
	number int
}

func newHavoc(t *testing.T, victim string, random *rand.Rand) *havoc {
	c, dir := up(t, nil, nil)
	h := &havoc{c: c, dir: dir, f: join(t, c), random: random, victim: victim}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("again: go test ./internal/clusterfaults -run '^%s$' -chaos.seed=%d -chaos.rounds=%d", t.Name(), *seed, *rounds)
		}
	})
	return h
}

// round runs one task and kills the victim when it comes to the point.
func (h *havoc) round(t *testing.T, p point, name string) {
	id := fmt.Sprintf("%s-%d", h.victim, h.number)
	h.number++
	command := "sleep 0.1"
	if h.victim == theExecutor || h.victim == theLauncher {
		command = "sleep 1000 & sleep 0.3" // what is left behind is seen
	}
	came := make(chan struct{}, 1)
	h.f.launch(shell(id, command), func(at point, of string) {
		if at == p && of == id {
			select {
			case came <- struct{}{}:
			default: // it came again
			}
		}
	})
	h.await(t, p, id, came)
	pause(t.Context(), h.delay())
	h.kill(t)
	eventually(t, func() string {
		if h.f.end(id) != nil {
			return ""
		}
		return fmt.Sprintf("%s (%s) ends for the scheduler; it was told %s", id, name, h.f.told(id))
	})
	eventually(t, func() string {
		if left := containers(t, h.c, h.dir); len(left) > 0 {
			return fmt.Sprintf("the processes of %s (%s) end: %v", id, name, left)
		}
		return ""
	})
	require.Empty(t, h.f.wrongs(), "%s (%s)", id, name)
}

// await waits for a point. Those that a scheduler does not see are seen in what the
// agent writes down. A point may never come, if what happens there is over at once.
func (h *havoc) await(t *testing.T, p point, id string, came <-chan struct{}) {
	run := filepath.Join(h.dir, "mesos-slave", "meta", "slaves", "*", "frameworks", "*", "executors", id, "runs", "*")
	eventually(t, func() string {
		var sign string
		switch p {
		case atTheAgent:
			sign = filepath.Join(run, "tasks", id, "task.info")
		case launched:
			sign = filepath.Join(run, "pids", "forked.pid")
		default:
			select {
			case <-came:
				return ""
			default:
				return fmt.Sprintf("%s comes to %q; the scheduler was told %s", id, p, h.f.told(id))
			}
		}
		if found, err := filepath.Glob(sign); err != nil || len(found) == 0 {
			return fmt.Sprintf("%s comes to %q: %s", id, p, sign)
		}
		return ""
	})
}

// delay is nothing, or up to 30 ms.
func (h *havoc) delay() time.Duration {
	if h.random.IntN(2) == 0 {
		return 0
	}
	return time.Duration(h.random.IntN(30_000)) * time.Microsecond
}

// kill kills the victim and starts it again.
func (h *havoc) kill(t *testing.T) {
	gone := h.delay() * 10
	h.f.disturb(true)
	defer h.f.disturb(false)
	ctx := context.WithoutCancel(t.Context())
	switch h.victim {
	case theMaster:
		require.NoError(t, h.c.Master.Kill())
		pause(t.Context(), gone)
		require.NoError(t, h.c.StartMaster(ctx))
	case theSlave:
		require.NoError(t, h.c.Slave.Kill())
		pause(t.Context(), gone)
		require.NoError(t, h.c.StartSlave(ctx))
		_, err := h.c.AwaitRegistered(t.Context())
		require.NoError(t, err)
	default:
		// Before the executor is launched there is none, and at the end it may be gone
		// already.
		for _, p := range containers(t, h.c, h.dir) {
			if p.Is(h.victim) {
				p.Kill()
			}
		}
	}
}

// settled looks at the books when every task has ended.
func (h *havoc) settled(t *testing.T) {
	eventually(t, func() string { return unsettled(t, h.c) })
	assert.Empty(t, h.f.wrongs())
}
