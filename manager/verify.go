package manager

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/verify"
)

// Verify holds every rule against the whole set, then the graph, then each
// module's own check in plan order. The error is a *finding.Error with all
// findings of one run; nothing is instantiated while one stands.
func (m *Manager) Verify(ctx context.Context) error {
	return m.seq.Do(ctx, lifecycle.Verify, m.verify)
}

func (m *Manager) verify(ctx context.Context) error {
	if found := m.check(ctx, nil, nil); len(found) > 0 {
		return m.held(found)
	}
	order := m.settle()
	if err := m.ownChecks(ctx, order); err != nil {
		return err
	}
	m.reached(lifecycle.Verify, order...)
	m.nestOnDemand()
	return nil
}

// settle keeps the plan's order, and what modules may see from now on.
func (m *Manager) settle() []*module {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = m.view()
	m.order = nil
	for i, planned := range m.result.Plan.Modules {
		mod := m.modules[planned.Name]
		mod.place, mod.lost = i, planned.OnFailure
		m.order = append(m.order, mod)
	}
	return slices.Clone(m.order)
}

// Result is what the last verification came to: findings, notices, and the plan
// if nothing stands against it.
func (m *Manager) Result() verify.Result {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.result
}

// check holds the rules against the books and keeps the result. More findings,
// from loading, are put with those of the rules.
func (m *Manager) check(ctx context.Context, more []finding.Finding, notLoaded []string) []finding.Finding {
	in := m.input(notLoaded)
	result := verify.Check(in)
	if slices.ContainsFunc(result.Findings, wantsCandidates) {
		in.Candidates = m.candidates(ctx)
		result = verify.Check(in)
	}
	if len(more) > 0 {
		result.Findings = append(slices.Clone(more), result.Findings...)
		finding.Sort(result.Findings)
		result.Plan = nil
	}
	m.mu.Lock()
	m.result, m.order = result, nil
	m.mu.Unlock()
	for _, n := range result.Notices {
		m.notice(lifecycle.Header{Phase: lifecycle.Verify, Module: n.Module, Library: n.Library}, "%s", n.Text)
	}
	return result.Findings
}

func wantsCandidates(f finding.Finding) bool {
	return f.Rule == finding.Requirement || f.Rule == finding.VersionClash || f.Rule == finding.Binding
}

// held publishes findings and makes them an error.
func (m *Manager) held(found []finding.Finding) error {
	for _, f := range found {
		m.bus.Publish(lifecycle.FindingReported{
			Header: lifecycle.Header{Phase: lifecycle.Verify, Module: f.Module, Library: f.Library},
			Rule:   string(f.Rule), Text: f.Problem, Mend: f.Mend,
		})
	}
	return &finding.Error{Findings: found}
}

func (m *Manager) input(notLoaded []string) verify.Input {
	m.mu.RLock()
	defer m.mu.RUnlock()
	in := verify.Input{
		Daemon: m.cfg.Daemon, MesosVersion: m.cfg.MesosVersion, MMSVersions: m.cfg.MMSVersions,
		Roles: m.cfg.Roles, Bindings: m.bound, NotLoaded: notLoaded,
	}
	for _, lib := range m.libraries {
		l := verify.Library{Path: lib.path, Identity: lib.file.Identity, ShipsWithMesos: lib.ships, Description: lib.description, Isolated: lib.isolated}
		for _, mod := range lib.modules {
			switch {
			case mod.named:
				l.Named = append(l.Named, verify.Named{Name: mod.name, Parameters: mod.parameters, OnFailure: mod.onFailure, At: mod.at})
			case len(mod.parameters) > 0:
				if l.Parameters == nil {
					l.Parameters = map[string]facade.Parameters{}
				}
				l.Parameters[mod.name] = mod.parameters
			}
		}
		in.Libraries = append(in.Libraries, l)
	}
	return in
}

// ownChecks asks every module that declares a check, in plan order. A check may
// look at everything that is loaded.
func (m *Manager) ownChecks(ctx context.Context, order []*module) error {
	m.mu.RLock()
	view := m.seen
	m.mu.RUnlock()
	var said []verify.OwnCheck
	for _, mod := range order {
		if !mod.declared.Compatible {
			continue
		}
		began := m.bus.Now()
		err := m.runner.Run(ctx, mod.doing(lifecycle.Verify, "check", mod.limits.Check), func(ctx context.Context) error {
			return m.enter(mod, func() error { return mod.library.open.Compatible(ctx, mod.name, view) })
		})
		m.book(mod, began, nil) // what it says is a finding, not a failure
		if err != nil && ctx.Err() != nil {
			return err
		}
		said = append(said, verify.OwnCheck{Module: mod.name, Err: reason(err)})
	}
	m.mu.Lock()
	m.result = m.result.WithOwnChecks(said)
	found := m.result.Findings
	m.mu.Unlock()
	if len(found) > 0 {
		return m.held(found)
	}
	return nil
}

// reason is what a step failed with, without the words about the step.
func reason(err error) error {
	var step *lifecycle.StepError
	if errors.As(err, &step) {
		return step.Err
	}
	return err
}

// maxCandidates bounds how many files of the configured folders are looked at for
// a proposal.
const maxCandidates = 1000

// candidates are modules in the configured folders that the manifest does not
// name, so far as their bytes tell: a Go plugin would have to be opened. When ctx ends
// there are no more.
func (m *Manager) candidates(ctx context.Context) []depgraph.Module {
	var all []depgraph.Module
	for _, dir := range m.cfg.SearchPath {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // a folder that is not there has nothing to propose
		}
		for _, e := range entries[:min(len(entries), maxCandidates)] {
			if e.Type().IsRegular() && ctx.Err() == nil {
				all = append(all, m.candidatesIn(filepath.Join(dir, e.Name()))...)
			}
		}
	}
	slices.SortFunc(all, func(a, b depgraph.Module) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return all
}

func (m *Manager) candidatesIn(path string) []depgraph.Module {
	f, err := file.Look(path, file.Options{AllowWorldWritable: m.cfg.AllowWorldWritable, NoDigest: true})
	if err != nil || m.libraryByIdentity(f.Identity) != nil {
		return nil
	}
	c := &candidate{file: f}
	if c.recognise(m.cfg.Vehicles) != nil {
		return nil
	}
	var all []depgraph.Module
	for _, d := range c.description.Modules {
		all = append(all, depgraph.Module{Name: d.Name, Role: d.Role, Version: d.Version})
	}
	return all
}
