// Package standalone is the contender of a master that is alone: it leads at once
// and for as long as it lives.
package standalone

import (
	"context"
	"fmt"
	"sync"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/mastercontender"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_StandaloneMasterContender"

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[mastercontender.MasterContender]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Makes a single master the leader.",
		Parameters:  facade.SchemaOf[struct{}](),
		New: func(context.Context, facade.Host, facade.Parameters) (mastercontender.MasterContender, error) {
			return &contender{}, nil
		},
	},
}}

type contender struct {
	mastercontender.Unimplemented

	mu     sync.Mutex
	ready  bool
	before func(*leadership.Candidacy) // the receiver of the candidacy that is there
}

func (c *contender) Initialize(_ context.Context, self *mesosv1.MasterInfo) error {
	if self == nil {
		return fmt.Errorf("nobody contends: the master's info is missing")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready = true
	return nil
}

func (c *contender) Contend(ctx context.Context, sink func(*leadership.Candidacy)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ready {
		return fmt.Errorf("contend: Initialize has not been called")
	}
	if c.before != nil {
		c.before(&leadership.Candidacy{State: leadership.Candidacy_LOST.Enum()})
	}
	c.before = sink
	sink(&leadership.Candidacy{State: leadership.Candidacy_ENTERED.Enum()})
	context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.before = nil
	})
	return nil
}
