package view

import (
	"io"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
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
		d.list("orphan_tasks", func() {}) // there have been none since 1.2
		d.frameworks(v, o)
	})
}

func (d *document) about(v *core.View, a About) {
	d.text("version", v.Info.GetVersion())
	d.someText("git_sha", a.GitSHA)
	d.someText("git_branch", a.GitBranch)
	d.someText("git_tag", a.GitTag)
	d.text("build_date", a.BuildDate)
	d.time("build_time", a.BuildTime)
	d.text("build_user", a.BuildUser)
}

func (d *document) masterInfo(v *core.View) {
	d.time("start_time", v.Started)
	d.someTime("elected_time", v.Elected)
	d.text("id", v.Info.GetId())
	d.text("pid", v.Info.GetPid())
	d.text("hostname", v.Info.GetHostname())
	d.list("capabilities", func() {
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
	d.double("activated_slaves", float64(active))
	d.double("deactivated_slaves", float64(len(v.Agents)-active))
	d.double("unreachable_slaves", float64(len(v.Unreachable)))
}

func (d *document) leader(v *core.View) {
	d.domain(v.Info.GetDomain())
	if v.Leader == nil {
		return
	}
	d.text("leader", v.Leader.GetPid())
	d.object("leader_info", func() {
		d.text("id", v.Leader.GetId())
		d.text("pid", v.Leader.GetPid())
		d.integer("port", int64(v.Leader.GetPort()))
		d.text("hostname", v.Leader.GetHostname())
		d.domain(v.Leader.GetDomain())
	})
}

func (d *document) domain(domain *mesosv1.DomainInfo) {
	if domain != nil {
		d.Key("domain")
		d.Message(domain)
	}
}

func (d *document) configuration(c *Configuration) {
	if c == nil {
		return
	}
	d.someText("cluster", c.Cluster)
	d.someText("log_dir", c.LogDir)
	d.someText("external_log_file", c.ExternalLogFile)
	d.object("flags", func() {
		for _, f := range c.Flags {
			d.text(f.Name, f.Value)
		}
	})
}
