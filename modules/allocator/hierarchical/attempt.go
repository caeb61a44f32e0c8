package hierarchical

import "github.com/mesos-modules/mms/internal/resources"

// journal is what an attempt has offered, so that all of it can be taken back.
type journal struct {
	headroom resources.Quantities // at the beginning
	entries  []entry
}

type entry struct {
	agent  *agent
	member *member
	what   resources.Resources // marked with the role
	lent   resources.Resources // by the agent, before
}

// note writes down what is about to be offered. Without an attempt nobody does.
func (j *journal) note(ag *agent, m *member, marked resources.Resources) {
	if j != nil {
		j.entries = append(j.entries, entry{ag, m, marked, ag.lent})
	}
}

// attempt takes back all that do offers if it fails or panics. Attempts are not nested.
func (r *run) attempt(do func() error) (err error) {
	r.journal = &journal{headroom: r.headroom}
	kept := false
	defer func() {
		if !kept {
			r.takeBack()
		}
		r.journal = nil
	}()
	err = do()
	kept = err == nil
	return err
}

// takeBack undoes the attempt, last things first.
func (r *run) takeBack() {
	for i := len(r.journal.entries) - 1; i >= 0; i-- {
		e := r.journal.entries[i]
		r.a.revoke(e.agent, e.agent.share(e.member.framework.id, e.member.role.name), e.what)
		e.agent.lent = e.lent
		r.withdraw(e)
	}
	r.headroom = r.journal.headroom
	r.turn()
}

// withdraw takes an entry out of the offers.
func (r *run) withdraw(e entry) {
	f := e.member.framework
	for _, at := range e.agent.offers {
		o := &r.offers[at]
		if o.member != e.member {
			continue
		}
		if o.what = o.what.Sub(e.what); !o.what.Empty() {
			return // the rest is of before
		}
		break
	}
	last := len(r.offers) - 1 // made by this entry, and what came after has gone
	r.offers[last] = offer{}
	r.offers = r.offers[:last]
	e.agent.offers = e.agent.offers[:len(e.agent.offers)-1]
	if f.offers = f.offers[:len(f.offers)-1]; len(f.offers) == 0 {
		r.served = r.served[:len(r.served)-1]
	}
}

// revoke takes resources out of a share as if they had never been there.
func (a *Allocator) revoke(ag *agent, s *share, marked resources.Resources) {
	m := s.member
	a.give(ag, s, marked)
	m.role.frameworks.Uncount(m.client)
	a.sorter.Uncount(m.role.client)
}
