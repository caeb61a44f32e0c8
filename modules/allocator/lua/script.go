package lua

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"

	vmlua "github.com/yuin/gopher-lua"

	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	"github.com/mesos-modules/mms/modules/allocator/lua/vm"
)

// script is one version of the file, compiled.
type script struct {
	program *vm.Program
	text    []byte
	digest  [sha256.Size]byte
	failed  int  // runs in a row
	told    bool // of an offer that was refused
}

// compile makes a script of the text of a file. Errors begin with the name and line.
func compile(name string, text []byte) (*script, error) {
	program, err := vm.Compile(name, string(text))
	if err != nil {
		return nil, err
	}
	return &script{program: program, text: text, digest: sha256.Sum256(text)}, nil
}

// short is what logs show of the digest.
func (s *script) short() string { return hex.EncodeToString(s.digest[:6]) }

// number is the same as a number that a metric can carry.
func (s *script) number() float64 {
	n := uint64(0)
	for _, b := range s.digest[:6] {
		n = n<<8 | uint64(b)
	}
	return float64(n)
}

// entry is the function that a script defines.
const entry = "allocate"

// maxLines is how much of one run's log is kept.
const maxLines = 20

// outcome is how a run of a script was.
type outcome struct {
	usage   vm.Usage
	refused int // offers
	why     error
}

// divide lets the script divide. If it fails, none of its offers are made.
func (s *script) divide(run hierarchical.Run, agents []hierarchical.Agent, limits vm.Limits, log *slog.Logger) (o outcome, err error) {
	lines := 0
	session := s.program.Start(limits, vm.Options{Random: run.Chance, Log: func(text string) {
		if lines++; lines <= maxLines {
			log.Info("the script says", "text", text[:min(len(text), 500)])
		}
	}})
	defer session.End()
	err = run.Attempt(func() error {
		if err := session.Load(); err != nil {
			return err
		}
		c := newCluster(run, agents, session, func(why error) {
			if o.refused++; o.why == nil {
				o.why = why
			}
		})
		var table *vmlua.LTable
		if err := session.Protect(func() { table = c.table() }); err != nil {
			return fmt.Errorf("show the cluster to the script: %w", err)
		}
		return session.Call(entry, table)
	})
	if errors.Is(err, vm.ErrNoFunction) {
		err = fmt.Errorf("%w; a script defines: function %s(cluster) … end", err, entry)
	}
	o.usage = session.Usage()
	return o, err
}
