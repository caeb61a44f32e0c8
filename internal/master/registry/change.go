package registry

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/wire"
)

// refusal is why a change does not fit what is there. Others may go on.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

func refuse(format string, args ...any) error {
	return &refusal{fmt.Sprintf(format, args...)}
}

// maxKey is how long an id or the name of a role may be; bbolt takes 32 KiB.
const maxKey = 16 << 10

func (b *books) apply(change core.RegistryChange) error {
	switch c := change.(type) {
	case core.AdmitAgent:
		return b.admit(c.Info)
	case core.UpdateAgent:
		return b.updateAgent(c.Info)
	case core.MarkAgentUnreachable:
		return b.markUnreachable(c.ID.GetValue(), c.At)
	case core.MarkAgentReachable:
		return b.markReachable(c.Info)
	case core.MarkAgentGone:
		return b.markGone(c.ID.GetValue(), c.At)
	case core.RemoveAgent:
		if b.get(agents, c.ID.GetValue()) == nil {
			return refuse("agent %s is not admitted", c.ID.GetValue())
		}
		return b.drop(agents, c.ID.GetValue())
	case core.Prune:
		return b.prune(c.IDs)
	case core.UpdateWeights:
		return b.updateWeights(c.Weights)
	case core.UpdateQuota:
		return b.updateQuotas(c.Configs)
	case core.RemoveQuota:
		return b.drop(quotas, c.Role)
	default:
		return refuse("the registry does not know the change %T", change)
	}
}

func (b *books) admit(info *mesosv1.AgentInfo) error {
	id := info.GetId().GetValue()
	for _, in := range []bucket{agents, unreachable, gone} {
		if b.get(in, id) == nil {
			continue
		}
		if in == agents {
			return refuse("agent %s is already admitted", id)
		}
		return refuse("agent %s is known already: it is %s", id, in)
	}
	return b.write(agents, id, &wire.Registry_Slave{Info: info})
}

func (b *books) updateAgent(info *mesosv1.AgentInfo) error {
	id := info.GetId().GetValue()
	known := &wire.Registry_Slave{}
	if found, err := b.read(agents, id, known); err != nil {
		return err
	} else if !found {
		return refuse("agent %s is not admitted", id)
	}
	known.Info = info
	return b.write(agents, id, known)
}

func (b *books) markUnreachable(id string, at *mesosv1.TimeInfo) error {
	known := &wire.Registry_Slave{}
	if found, err := b.read(agents, id, known); err != nil {
		return err
	} else if !found {
		return refuse("agent %s is not admitted", id)
	}
	err := b.write(unreachable, id, &wire.Registry_UnreachableSlave{
		Id: &mesosv1.AgentID{Value: &id}, Timestamp: at, DrainInfo: known.DrainInfo, Deactivated: known.Deactivated,
	})
	if err != nil {
		return err
	}
	return b.drop(agents, id)
}

func (b *books) markReachable(info *mesosv1.AgentInfo) error {
	id := info.GetId().GetValue()
	if b.get(gone, id) != nil {
		return refuse("agent %s is gone and must not come back", id)
	}
	admitted := &wire.Registry_Slave{}
	found, err := b.read(agents, id, admitted)
	if err != nil {
		return err
	}
	if !found {
		lost := &wire.Registry_UnreachableSlave{}
		if _, err := b.read(unreachable, id, lost); err != nil {
			return err
		}
		admitted.DrainInfo, admitted.Deactivated = lost.DrainInfo, lost.Deactivated
	}
	admitted.Info = info
	if err := b.write(agents, id, admitted); err != nil {
		return err
	}
	return b.drop(unreachable, id)
}

func (b *books) markGone(id string, at *mesosv1.TimeInfo) error {
	if b.get(gone, id) != nil {
		return refuse("agent %s is already marked as gone", id)
	}
	if b.get(agents, id) == nil && b.get(unreachable, id) == nil {
		return refuse("agent %s is not known", id)
	}
	if err := b.write(gone, id, &wire.Registry_GoneSlave{Id: &mesosv1.AgentID{Value: &id}, Timestamp: at}); err != nil {
		return err
	}
	return errors.Join(b.drop(agents, id), b.drop(unreachable, id))
}

// prune forgets agents; those that came back or are forgotten already do not matter.
func (b *books) prune(ids []*mesosv1.AgentID) error {
	for _, id := range ids {
		if err := errors.Join(b.drop(unreachable, id.GetValue()), b.drop(gone, id.GetValue())); err != nil {
			return err
		}
	}
	return nil
}

func (b *books) updateWeights(infos []*mesosv1.WeightInfo) error {
	// All or nothing, so what would be refused is looked for first.
	for _, w := range infos {
		if err := writable(w.GetRole(), &wire.Registry_Weight{Info: w}); err != nil {
			return err
		}
	}
	for _, w := range infos {
		if err := b.write(weights, w.GetRole(), &wire.Registry_Weight{Info: w}); err != nil {
			return err
		}
	}
	return nil
}

// updateQuotas sets quotas; one that guarantees and limits nothing is none.
func (b *books) updateQuotas(configs []*quota.QuotaConfig) error {
	for _, c := range configs {
		if err := writable(c.GetRole(), c); err != nil {
			return err
		}
	}
	for _, c := range configs {
		var err error
		if len(c.GetGuarantees()) == 0 && len(c.GetLimits()) == 0 {
			err = b.drop(quotas, c.GetRole())
		} else {
			err = b.write(quotas, c.GetRole(), c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// write puts a message where it is not already. It is a refusal if it cannot be kept.
func (b *books) write(to bucket, key string, m proto.Message) error {
	if err := writable(key, m); err != nil {
		return err
	}
	value, err := encode(m)
	if err != nil {
		return err
	}
	if old := b.get(to, key); old != nil && bytes.Equal(old, value) {
		return nil
	}
	return b.put(to, key, value)
}

func writable(key string, m proto.Message) error {
	switch {
	case key == "":
		return refuse("a record without an id or role cannot be kept")
	case len(key) > maxKey:
		return refuse("an id or role of %d bytes is too long: the limit is %d", len(key), maxKey)
	}
	if err := proto.CheckInitialized(m); err != nil {
		// protobuf varies the white space of its texts from build to build.
		return refuse("record %q cannot be kept: %s", key, strings.ReplaceAll(err.Error(), "\u00a0", " "))
	}
	return nil
}

func (b *books) read(from bucket, key string, m proto.Message) (found bool, _ error) {
	value := b.get(from, key)
	if value == nil {
		return false, nil
	}
	return true, decode(from, key, value, m)
}
