package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Build builds all programs of the repository into a folder.
func Build(ctx context.Context, repository, into string) error {
	if err := build(ctx, repository, into, nil, "./cmd/..."); err != nil {
		return err
	}
	// What runs in containers needs nothing of their root file systems.
	return build(ctx, repository, into, []string{"CGO_ENABLED=0"}, "./cmd/mesos-containerizer", "./cmd/mesos-logrotate-logger", "./cmd/mesos-executor", "./cmd/mesos-default-executor")
}

func build(ctx context.Context, repository, into string, env []string, packages ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-o", into + "/"}, packages...)...)
	cmd.Dir, cmd.Env = repository, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", strings.Join(packages, " "), err, out)
	}
	return nil
}

// Config says how a cluster is started.
type Config struct {
	Bin string // the folder that Build has filled
	Dir string // for all that the daemons keep
	Run string // for what is known of running containers; empty: a folder of Dir

	Master, Slave         []string  // further flags
	MasterEcho, SlaveEcho io.Writer // where their lines are shown; nil: nowhere
}

// Cluster is a master and a slave on this host.
type Cluster struct {
	Master, Slave *Daemon

	c Config
}

// Patience is how long a daemon may take until it answers, or the slave until it is
// registered. It is far more than it takes.
const Patience = time.Minute

// Up starts both daemons and returns when the slave is registered. Whatever fails,
// nothing is left running.
func Up(ctx context.Context, c Config) (*Cluster, error) {
	up := &Cluster{c: c}
	err := up.StartMaster(ctx)
	if err == nil {
		err = up.StartSlave(ctx)
	}
	if err == nil {
		_, err = up.AwaitRegistered(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, up.Down())
	}
	return up, nil
}

// StartMaster starts the master: at a free port, and at the same one again later.
func (u *Cluster) StartMaster(ctx context.Context) (err error) {
	u.Master, err = u.start(ctx, "mesos-master", u.Master, u.c.MasterEcho, u.c.Master)
	return err
}

// StartSlave is likewise.
func (u *Cluster) StartSlave(ctx context.Context) (err error) {
	args := append([]string{"--master=" + u.Master.Address, "--runtime_dir=" + cmp.Or(u.c.Run, filepath.Join(u.c.Dir, "run")),
		"--fetcher_cache_dir=" + filepath.Join(u.c.Dir, "fetch"), "--registration_backoff_factor=10ms"}, u.c.Slave...)
	u.Slave, err = u.start(ctx, "mesos-slave", u.Slave, u.c.SlaveEcho, args)
	return err
}

// start starts a daemon where the one before it was. If that fails, it is as if the one
// before were still there, but for that it has ended.
func (u *Cluster) start(ctx context.Context, name string, before *Daemon, echo io.Writer, args []string) (*Daemon, error) {
	work := filepath.Join(u.c.Dir, name)
	if err := os.MkdirAll(work, 0o755); err != nil {
		return before, err
	}
	address, err := freeAddress()
	if before != nil {
		address, err = before.Address, nil
	}
	if err != nil {
		return before, err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return before, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, Patience, fmt.Errorf("it takes longer than %v", Patience))
	defer cancel()
	d, err := Start(ctx, limited, Options{Binary: filepath.Join(u.c.Bin, name), Echo: echo,
		Args: append([]string{"--ip=" + host, "--port=" + port, "--work_dir=" + work}, args...)})
	if err != nil {
		return before, err
	}
	return d, nil
}

// AwaitRegistered waits until the slave says that it is registered, or registered
// again, and returns its id.
func (u *Cluster) AwaitRegistered(ctx context.Context) (id string, err error) {
	limited, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	return u.Slave.Await(limited, "registered with master ")
}

// Down stops whatever runs.
func (u *Cluster) Down() error {
	var err error
	for _, d := range []*Daemon{u.Slave, u.Master} {
		if d != nil {
			err = errors.Join(err, d.Stop())
		}
	}
	return err
}
