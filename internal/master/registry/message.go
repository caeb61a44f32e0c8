package registry

import (
	"cmp"
	"errors"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/wire"
)

// registry reads all there is into one message.
func (b *books) registry() (*wire.Registry, error) {
	r := &wire.Registry{}
	if _, err := b.read(general, restKey, r); err != nil {
		return nil, err
	}
	r.Slaves = &wire.Registry_Slaves{}
	r.Unreachable = &wire.Registry_UnreachableSlaves{}
	r.Gone = &wire.Registry_GoneSlaves{}

	master := &wire.Registry_Master{}
	if found, err := b.read(general, masterKey, master); err != nil {
		return nil, err
	} else if found {
		r.Master = master
	}
	err := errors.Join(
		readAll(b, agents, &r.Slaves.Slaves),
		readAll(b, unreachable, &r.Unreachable.Slaves),
		readAll(b, gone, &r.Gone.Slaves),
		readAll(b, weights, &r.Weights),
		readAll(b, quotas, &r.QuotaConfigs),
	)
	if err != nil {
		return nil, err
	}
	// Who is to be forgotten first comes first.
	slices.SortStableFunc(r.Unreachable.Slaves, func(x, y *wire.Registry_UnreachableSlave) int {
		return cmp.Compare(x.GetTimestamp().GetNanoseconds(), y.GetTimestamp().GetNanoseconds())
	})
	slices.SortStableFunc(r.Gone.Slaves, func(x, y *wire.Registry_GoneSlave) int {
		return cmp.Compare(x.GetTimestamp().GetNanoseconds(), y.GetTimestamp().GetNanoseconds())
	})
	return r, nil
}

func readAll[M any, P interface {
	*M
	proto.Message
}](b *books, from bucket, to *[]P) error {
	return b.each(from, func(key string, value []byte) error {
		m := P(new(M))
		if err := decode(from, key, value, m); err != nil {
			return err
		}
		*to = append(*to, m)
		return nil
	})
}

// fill writes a whole registry into one where nothing is.
func (b *books) fill(from *wire.Registry) error {
	if err := b.verify(); err != nil {
		return err
	}
	for _, of := range []bucket{agents, unreachable, gone, weights, quotas} {
		s, err := b.sum(of)
		if err != nil {
			return err
		}
		if s.records > 0 {
			return refuse("there are %d records of %s already; only an empty registry can be filled", s.records, of)
		}
	}
	for _, a := range from.GetSlaves().GetSlaves() {
		if err := b.write(agents, a.GetInfo().GetId().GetValue(), a); err != nil {
			return err
		}
	}
	for _, a := range from.GetUnreachable().GetSlaves() {
		if err := b.write(unreachable, a.GetId().GetValue(), a); err != nil {
			return err
		}
	}
	for _, a := range from.GetGone().GetSlaves() {
		if err := b.write(gone, a.GetId().GetValue(), a); err != nil {
			return err
		}
	}
	for _, w := range from.GetWeights() {
		if err := b.write(weights, w.GetInfo().GetRole(), w); err != nil {
			return err
		}
	}
	if err := b.updateQuotas(from.GetQuotaConfigs()); err != nil {
		return err
	}
	if from.GetMaster() != nil {
		if err := b.write(general, masterKey, from.GetMaster()); err != nil {
			return err
		}
	}
	return b.write(general, restKey, rest(from))
}

// rest is what of a registry has no bucket: it is kept for who exports it.
func rest(from *wire.Registry) *wire.Registry {
	return &wire.Registry{
		Machines:            from.GetMachines(),
		Schedules:           from.GetSchedules(),
		Quotas:              from.GetQuotas(),
		MinimumCapabilities: from.GetMinimumCapabilities(),
	}
}
