package httpface

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/nearest"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/report"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// moduleList is the body of /modules.
type moduleList struct {
	Daemon       string          `json:"daemon"`
	MesosVersion string          `json:"mesos_version"`
	State        lifecycle.State `json:"state"`
	Modules      []moduleLine    `json:"modules"` // in plan order
}

// moduleLine is a module in a list.
type moduleLine struct {
	Name           string          `json:"name"`
	Role           string          `json:"role"`
	Version        string          `json:"version,omitempty"`
	Library        string          `json:"library"` // empty for the daemon binary
	Vehicle        string          `json:"vehicle"`
	Isolation      string          `json:"isolation,omitempty"`  // "process", or empty for one that runs in the daemon
	OnFailure      string          `json:"on_failure,omitempty"` // what follows when it is lost, as the plan has it
	ShipsWithMesos bool            `json:"ships_with_mesos"`
	Phase          lifecycle.Phase `json:"phase"`
	Time           string          `json:"time"` // in its own steps
	TimeNS         time.Duration   `json:"time_ns"`
	Sites          []string        `json:"sites"` // binding flags
	Error          string          `json:"error,omitempty"`
	*life
}

// life is what became of a module, for those that run in a process of their own or
// were lost with one.
type life struct {
	State    manager.LifeState `json:"state"`
	PID      int               `json:"pid,omitempty"`
	Restarts int               `json:"restarts"`
	Since    time.Time         `json:"since,omitzero"` // in this state, if not since the start
	Last     string            `json:"last_cause,omitempty"`
	Fallback string            `json:"fallback,omitempty"`
}

func (f *Face) modules(w http.ResponseWriter, r *http.Request) {
	all := f.c.Modules.Modules()
	if wantsText(r) {
		render(w, r, plain, func(b *bytes.Buffer) error {
			return report.Started{Daemon: f.c.Daemon, MesosVersion: f.c.Version, Took: spent(all), Modules: Rows(all)}.WriteText(b, report.Style{})
		})
		return
	}
	list := moduleList{Daemon: f.c.Daemon, MesosVersion: f.c.Version, State: f.c.Modules.State(), Modules: []moduleLine{}}
	for _, s := range all {
		list.Modules = append(list.Modules, lineOf(s))
	}
	answer(w, http.StatusOK, list)
}

func lineOf(s manager.ModuleStatus) moduleLine {
	line := moduleLine{
		Name: s.Declared.Name, Role: s.Declared.Role, Version: s.Declared.Version,
		Library: s.Library, Vehicle: s.Vehicle, Isolation: string(s.Isolation), OnFailure: s.OnFailure, ShipsWithMesos: s.ShipsWithMesos,
		Phase: s.Phase, Time: s.Spent.String(), TimeNS: s.Spent, Sites: append([]string{}, s.Sites...), Error: textOf(s.Err),
	}
	if s.Life != (manager.Life{}) {
		of := life(s.Life)
		line.life = &of
	}
	return line
}

func spent(all []manager.ModuleStatus) (sum time.Duration) {
	for _, s := range all {
		sum += s.Spent
	}
	return sum
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Rows are modules as rows of the closing table.
func Rows(all []manager.ModuleStatus) []report.StartedModule {
	rows := make([]report.StartedModule, len(all))
	for i, s := range all {
		rows[i] = report.StartedModule{
			Module: s.Declared.Name, Role: s.Declared.Role, Version: s.Declared.Version,
			Library: s.Library, Vehicle: s.Vehicle, Isolation: string(s.Isolation), ShipsWithMesos: s.ShipsWithMesos, OnFailure: s.OnFailure,
			Phase: s.Phase.String(), Time: s.Spent, Error: textOf(s.Err),
			State: string(s.Life.State), PID: s.Life.PID, Restarts: s.Life.Restarts, Since: s.Life.Since, Last: s.Life.Last, Fallback: s.Life.Fallback,
		}
	}
	return rows
}

// moduleDetail is the body of /modules/{name}: everything there is to know.
type moduleDetail struct {
	moduleLine
	Author      string                 `json:"author,omitempty"`
	Email       string                 `json:"email,omitempty"`
	Description string                 `json:"description,omitempty"`
	Named       string                 `json:"named,omitempty"` // where the manifest names it
	Parameters  facade.Parameters      `json:"parameters"`      // secret values hidden
	Schema      []facade.ParameterSpec `json:"schema,omitempty"`
	Requires    []facade.Requirement   `json:"requires"`
	Conflicts   []facade.Conflict      `json:"conflicts,omitempty"`
	After       []string               `json:"after,omitempty"`
	Gets        []string               `json:"gets"` // the modules that its requirements came to
	OwnCheck    bool                   `json:"own_check"`
	Made        bool                   `json:"made"` // an instance was made
	Needed      bool                   `json:"needed"`
	Why         string                 `json:"why"`   // the path that leads to it
	Steps       []moduleStep           `json:"steps"` // that have ended, so far as events are kept
	LibraryInfo libraryInfo            `json:"library_info"`
}

// moduleStep is one step that a module has been through.
type moduleStep struct {
	Seq    uint64          `json:"seq"` // of its event
	Phase  lifecycle.Phase `json:"phase"`
	Step   string          `json:"step"`
	At     time.Time       `json:"at"` // when it ended
	Time   string          `json:"time"`
	TimeNS time.Duration   `json:"time_ns"`
	Error  string          `json:"error,omitempty"`
}

// steps reads from the kept events what a module has been through.
func (f *Face) steps(ctx context.Context, module string) []moduleStep {
	all := []moduleStep{}
	bus := f.c.Modules.Events()
	last := bus.Last()
	if last == 0 {
		return all
	}
	for event := range bus.Subscribe(ctx, 1) {
		if e, ok := event.(lifecycle.StepEnded); ok && e.Module == module {
			all = append(all, moduleStep{e.Seq, e.Phase, e.Step, e.At, e.Duration.String(), e.Duration, e.Err})
		}
		if event.Head().Seq >= last {
			break
		}
	}
	return all
}

// libraryInfo is what a module's library says of itself.
type libraryInfo struct {
	MMSVersion   string            `json:"mms_version,omitempty"`
	MesosVersion string            `json:"mesos_version,omitempty"`
	MinMesos     string            `json:"min_mesos,omitempty"`
	Build        []vehicle.Setting `json:"build,omitempty"`
	Modules      []string          `json:"modules"` // those that may be used
	Ended        string            `json:"ended,omitempty"`
}

func (f *Face) module(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, modulePath), "/")
	s, ok := f.c.Modules.Module(name)
	if !ok {
		f.noModule(w, r, name)
		return
	}
	d := moduleDetail{
		moduleLine: lineOf(s),
		Author:     s.Declared.Author, Email: s.Declared.Email, Description: s.Declared.Description,
		Named: s.At, Parameters: append(facade.Parameters{}, s.Parameters...), Schema: hideSecrets(s.Declared.Parameters),
		Requires: append([]facade.Requirement{}, s.Declared.Requires...), Conflicts: s.Declared.Conflicts, After: s.Declared.After,
		Gets: []string{}, OwnCheck: s.Declared.Compatible, Made: s.Made, Steps: f.steps(r.Context(), name),
	}
	f.explain(&d)
	for _, lib := range f.c.Modules.Libraries() {
		if lib.Path == s.Library {
			d.LibraryInfo = libraryInfo{
				MMSVersion: lib.Description.MMSVersion, MesosVersion: lib.Description.MesosVersion, MinMesos: lib.Description.MinMesos,
				Build: lib.Description.Build, Modules: append([]string{}, lib.Modules...), Ended: lib.Ended.String(),
			}
			break
		}
	}
	answer(w, http.StatusOK, d)
}

// explain fills in what the plan knows of a module.
func (f *Face) explain(d *moduleDetail) {
	plan := f.c.Modules.Result().Plan
	if plan == nil {
		d.Why = "there is no plan yet"
		return
	}
	for _, m := range plan.Modules {
		if m.Name == d.Name {
			d.Gets = append(d.Gets, m.Requires...)
		}
	}
	if path := plan.Graph.Why(d.Name); path != nil {
		d.Needed, d.Why = plan.Graph.IsNeeded(d.Name), depgraph.PathString(path)
		return
	}
	d.Why = "nothing in this daemon uses it"
}

// hideSecrets takes the default out of what describes a secret parameter.
func hideSecrets(specs []facade.ParameterSpec) []facade.ParameterSpec {
	shown := append([]facade.ParameterSpec(nil), specs...)
	for i := range shown {
		if shown[i].Secret && shown[i].Default != "" {
			shown[i].Default = "<secret>"
		}
	}
	return shown
}

func (f *Face) noModule(w http.ResponseWriter, r *http.Request, name string) {
	var names []string
	for _, s := range f.c.Modules.Modules() {
		names = append(names, s.Declared.Name)
	}
	for _, at := range f.routes {
		if rest, ok := strings.CutPrefix(at.path, modulePath); ok {
			names = append(names, rest)
		}
	}
	p := problem{Error: "there is no module " + name}
	if near := nearest.Name(name, names); near != "" {
		p.Near = []string{modulePath + near}
	}
	fail(w, r, http.StatusNotFound, p)
}

func (f *Face) findings(w http.ResponseWriter, r *http.Request) {
	result := f.c.Modules.Result()
	v := report.Verification{Daemon: f.c.Daemon, MesosVersion: f.c.Version, Findings: result.Findings, Notices: result.Notices, Plan: result.Plan}
	if wantsText(r) {
		render(w, r, plain, func(b *bytes.Buffer) error { return v.WriteText(b, report.Style{}) })
		return
	}
	render(w, r, "application/json", func(b *bytes.Buffer) error { return v.WriteJSON(b) })
}
