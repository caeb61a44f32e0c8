package legacy

import mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"

// Command writes a command.
func (d *Document) Command(c *mesosv1.CommandInfo) {
	d.Object("command", func() {
		if c != nil && c.Shell != nil {
			d.Truth("shell", c.GetShell())
		}
		if c != nil {
			d.OptionalText("value", c.Value)
		}
		d.List("argv", func() {
			for _, a := range c.GetArguments() {
				d.String(a)
			}
		})
		if c.GetEnvironment() != nil {
			d.Key("environment")
			d.Message(c.GetEnvironment())
		}
		d.List("uris", func() {
			for _, uri := range c.GetUris() {
				d.Element(func() {
					d.Text("value", uri.GetValue())
					d.Truth("executable", uri.GetExecutable())
				})
			}
		})
	})
}
