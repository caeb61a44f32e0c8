package view

import (
	"io"

	"github.com/mesos-modules/mms/internal/master/core"
)

// WriteState writes /state.
func WriteState(w io.Writer, v *core.View, o Options) error {
	o.Query = nil // it has no parameters
	return write(w, o, func(d *document) {
		d.about(v, o.About)
		d.masterInfo(v)
		d.counts(v)
		d.leader(v)
		d.configuration(o.About.Configuration)
		d.agents(v, o)
		d.frameworks(v, o)
		d.List("orphan_tasks", func() {}) // neither have there been since 1.2
		d.unregistered()
	})
}

func (d *document) about(v *core.View, a About) {
	d.Text("version", v.Info.GetVersion())
	d.SomeText("git_sha", a.GitSHA)
	d.SomeText("git_branch", a.GitBranch)
	d.SomeText("git_tag", a.GitTag)
	d.Text("build_date", a.BuildDate)
	d.Time("build_time", a.BuildTime)
	d.Text("build_user", a.BuildUser)
}

func (d *document) masterInfo(v *core.View) {
	d.Time("start_time", v.Started)
	d.SomeTime("elected_time", v.Elected)
	d.Text("id", v.Info.GetId())
	d.Text("pid", v.Info.GetPid())
	d.Text("hostname", v.Info.GetHostname())
	d.List("capabilities", func() {
		for _, c := range v.Info.GetCapabilities() {
			d.String(c.GetType().String())
		}
	})
}

func (d *document) counts(v *core.View) {
	active := 0
	for _, a := range v.Agents {
		if a.Active {
			active++
		}
	}
	d.Number("activated_slaves", float64(active))
	d.Number("deactivated_slaves", float64(len(v.Agents)-active))
	d.Number("unreachable_slaves", float64(len(v.Unreachable)))
}

func (d *document) leader(v *core.View) {
	d.Domain(v.Info.GetDomain())
	if v.Leader == nil {
		return
	}
	d.Text("leader", v.Leader.GetPid())
	d.Object("leader_info", func() {
		d.Text("id", v.Leader.GetId())
		d.Text("pid", v.Leader.GetPid())
		d.Whole("port", int64(v.Leader.GetPort()))
		d.Text("hostname", v.Leader.GetHostname())
		d.Domain(v.Leader.GetDomain())
	})
}

func (d *document) configuration(c *Configuration) {
	if c == nil {
		return
	}
	d.SomeText("cluster", c.Cluster)
	d.SomeText("log_dir", c.LogDir)
	d.SomeText("external_log_file", c.ExternalLogFile)
	d.Object("flags", func() {
		for _, f := range c.Flags {
			d.Text(f.Name, f.Value)
		}
	})
}
