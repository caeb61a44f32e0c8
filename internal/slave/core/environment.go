package core

import (
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/stout"
)

// subscriptionBackoff is how long executors wait at most before they subscribe again.
const subscriptionBackoff = 2 * time.Second

// environment is what an executor finds in its environment: what the flag says, then
// what tells it of this agent, then what hooks want. Of two variables of one name the
// later one holds. The executor's own come after these, when the container is made.
func (c *Core) environment(r *run, decorated []*mesosv1.Environment_Variable) []*mesosv1.Environment_Variable {
	var env variables
	for _, v := range c.cfg.ExecutorEnvironment {
		env.put(v)
	}
	set := func(name, value string) { env.put(variable(name, value)) }
	if lib := c.cfg.NativeLibrary; lib != "" {
		for _, name := range []string{"MESOS_NATIVE_LIBRARY", "MESOS_NATIVE_JAVA_LIBRARY"} {
			if !env.has(name) {
				set(name, lib)
			}
		}
	}
	if c.cfg.LibprocessIP != "" {
		set("LIBPROCESS_IP", c.cfg.LibprocessIP)
	}
	set("LIBPROCESS_PORT", "0")
	set("MESOS_FRAMEWORK_ID", r.framework.id)
	set("MESOS_EXECUTOR_ID", r.id)
	set("MESOS_DIRECTORY", r.directory)
	set("MESOS_SLAVE_ID", c.agentID().GetValue())
	set("MESOS_SLAVE_PID", c.self().String())
	set("MESOS_AGENT_ENDPOINT", c.self().Addr.String())
	set("MESOS_CHECKPOINT", digit(r.checkpoint()))
	set("MESOS_HTTP_COMMAND_EXECUTOR", digit(c.cfg.HTTPCommandExecutor))
	if c.cfg.DomainSocket != "" {
		set("MESOS_DOMAIN_SOCKET", c.cfg.DomainSocket)
	}
	set("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", stout.ExactDuration(c.grace(r)))
	if r.checkpoint() {
		set("MESOS_RECOVERY_TIMEOUT", stout.ExactDuration(c.cfg.RecoveryTimeout))
		set("MESOS_SUBSCRIPTION_BACKOFF_MAX", stout.ExactDuration(subscriptionBackoff))
	}
	for _, v := range decorated {
		env.put(v)
	}
	return env.list
}

// grace is how long an executor may take to end after it was asked to.
func (c *Core) grace(r *run) time.Duration {
	if own := r.info.GetShutdownGracePeriod(); own != nil {
		return time.Duration(own.GetNanoseconds())
	}
	return c.cfg.ExecutorShutdownGrace
}

// variables is an environment in which a name occurs once.
type variables struct {
	list []*mesosv1.Environment_Variable
}

func (v *variables) put(one *mesosv1.Environment_Variable) {
	for i, have := range v.list {
		if have.GetName() == one.GetName() {
			v.list[i] = one
			return
		}
	}
	v.list = append(v.list, one)
}

func (v *variables) has(name string) bool {
	for _, have := range v.list {
		if have.GetName() == name {
			return true
		}
	}
	return false
}

func variable(name, value string) *mesosv1.Environment_Variable {
	return &mesosv1.Environment_Variable{Name: proto.String(name), Value: proto.String(value)}
}

func digit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
