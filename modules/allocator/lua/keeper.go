package lua

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	"github.com/mesos-modules/mms/modules/allocator/lua/vm"
)

// keeper is the algorithm: it knows which script is in charge.
//
//	submitted ──tried on the cluster as it is── good ──> in charge ──> the one before
//	                                          └ fails ─> refused
//
// If the one in charge fails in a run, the one before it divides in this run, and if there
// is none, the hierarchical allocator's own order. A script that fails strikes times in a
// row is put aside until the file changes.
type keeper struct {
	limits vm.Limits
	log    *slog.Logger
	meters meters

	mu        sync.Mutex
	submitted *script // to be tried in the next run

	// Of Divide alone, which is never called twice at a time.
	current, before *script

	charge atomic.Pointer[script] // the current one, for those who ask
}

const strikes = 3

var _ hierarchical.Algorithm = (*keeper)(nil)

// newKeeper begins with a script that is good.
func newKeeper(limits vm.Limits, log *slog.Logger, m facade.Metrics, first *script) *keeper {
	k := &keeper{limits: limits, log: log, meters: newMeters(m)}
	k.charged(first)
	return k
}

// charged puts a script in charge, or none.
func (k *keeper) charged(s *script) {
	k.current = s
	k.charge.Store(s)
	k.meters.inCharge(s)
}

// inCharge is the script in charge, or nil. Any goroutine may ask.
func (k *keeper) inCharge() *script { return k.charge.Load() }

// submit has a script tried in the next run that has something to divide. One that waits already is forgotten.
func (k *keeper) submit(s *script) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.submitted = s
}

// Divide implements hierarchical.Algorithm. Where nothing is to be divided no script is asked,
// and a new one waits.
func (k *keeper) Divide(run hierarchical.Run) {
	agents := run.Agents()
	if len(agents) == 0 {
		return
	}
	k.mu.Lock()
	fresh := k.submitted
	k.submitted = nil
	k.mu.Unlock()
	if fresh != nil && k.replace(run, agents, fresh) {
		return
	}
	for _, s := range []*script{k.current, k.before} {
		if s == nil {
			continue
		}
		err := k.attempt(run, agents, s)
		if err == nil {
			s.failed = 0
			return
		}
		s.failed++
		k.log.Error("the script failed: what was divided before is divided again", "digest", s.short(), "error", err, "failed", s.failed)
		if s.failed == strikes {
			k.aside(s)
		}
	}
	k.meters.fallbacks.Add(1)
	run.InOrder()
}

// replace lets a new script take over if it is good on the cluster as it is.
func (k *keeper) replace(run hierarchical.Run, agents []hierarchical.Agent, fresh *script) bool {
	if err := k.attempt(run, agents, fresh); err != nil {
		k.refuse(fresh.short(), err)
		return false
	}
	k.before = k.current
	k.charged(fresh)
	k.meters.reloads.Add(1)
	k.log.Info("a new script is in charge", "digest", fresh.short())
	return true
}

// refuse tells that a new script does not take over.
func (k *keeper) refuse(digest string, err error) {
	k.meters.rejected.Add(1)
	k.log.Error("the new script is refused, and the last good one stays in charge", "digest", digest, "error", err)
}

// aside takes a script out of charge.
func (k *keeper) aside(s *script) {
	k.log.Error("the script is put aside until the file changes", "digest", s.short(), "failed", s.failed)
	if s == k.current {
		k.charged(k.before)
	}
	k.before = nil
}

func (k *keeper) attempt(run hierarchical.Run, agents []hierarchical.Agent, s *script) error {
	o, err := s.divide(run, agents, k.limits, k.log)
	k.meters.ran(o, err)
	if o.why != nil && !s.told {
		s.told = true
		k.log.Warn("the script makes offers that are refused; this is the first one, others are only counted", "digest", s.short(), "error", o.why)
	}
	return err
}

// meters are what the daemon publishes under the module's name.
type meters struct {
	runs, failures, reloads, rejected, refused, fallbacks facade.Counter
	seconds, instructions, memory, digest, scripted       facade.Gauge
}

func newMeters(m facade.Metrics) meters {
	return meters{
		runs:         m.Counter("runs", "runs of scripts"),
		failures:     m.Counter("failures", "runs in which the script failed, or was stopped"),
		reloads:      m.Counter("reloads", "new scripts that took over"),
		rejected:     m.Counter("scripts_refused", "new scripts that did not take over"),
		refused:      m.Counter("offers_refused", "offers of scripts that the books forbid"),
		fallbacks:    m.Counter("fallback_runs", "runs in which no script was good, and the hierarchical allocator's order divided"),
		seconds:      m.Gauge("run_seconds", "how long the last run of a script took"),
		instructions: m.Gauge("run_instructions", "how many instructions the last run of a script took"),
		memory:       m.Gauge("run_memory_bytes", "how much the last run of a script allocated"),
		digest:       m.Gauge("script_digest", "the first 48 bits of the SHA-256 digest of the script in charge, as a number"),
		scripted:     m.Gauge("script_in_charge", "1 if a script is in charge, 0 if all are put aside"),
	}
}

func (m meters) ran(o outcome, err error) {
	m.runs.Add(1)
	if err != nil {
		m.failures.Add(1)
	}
	m.refused.Add(float64(o.refused))
	m.seconds.Set(o.usage.Time.Seconds())
	m.instructions.Set(float64(o.usage.Instructions))
	m.memory.Set(float64(o.usage.Memory))
}

func (m meters) inCharge(s *script) {
	if s == nil {
		m.scripted.Set(0)
		m.digest.Set(0)
		return
	}
	m.scripted.Set(1)
	m.digest.Set(s.number())
}
