// Package basic is the HttpAuthenticatee that comes with Mesos: principal and secret
// by HTTP's Basic scheme.
package basic

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/httpauthenticatee"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_BasicHttpAuthenticatee"

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[httpauthenticatee.HttpAuthenticatee]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Sends principal and secret by the Basic scheme.",
		Parameters:  facade.SchemaOf[struct{}](),
		New: func(context.Context, facade.Host, facade.Parameters) (httpauthenticatee.HttpAuthenticatee, error) {
			return New(), nil
		},
	},
}}

// New returns the authenticatee, for programs without a module system.
func New() httpauthenticatee.HttpAuthenticatee { return basic{} }

// basic has no state, so any number of goroutines may use it.
type basic struct {
	httpauthenticatee.Unimplemented
}

var _ httpauthenticatee.HttpAuthenticatee = basic{}

// Scheme is Basic.
func (basic) Scheme(context.Context) (string, error) { return "Basic", nil }

// Authenticate returns the Authorization header, or none without a credential: the
// server may let in who has none.
func (basic) Authenticate(_ context.Context, _ *httpauth.Request, c *mesosv1.Credential) ([]*httpauth.Header, error) {
	if c == nil {
		return nil, nil
	}
	if strings.Contains(c.GetPrincipal(), ":") {
		return nil, errors.New("the principal has a colon, which the Basic scheme cannot carry")
	}
	text := base64.StdEncoding.EncodeToString([]byte(c.GetPrincipal() + ":" + c.GetSecret()))
	return []*httpauth.Header{{Name: proto.String("Authorization"), Value: proto.String("Basic " + text)}}, nil
}

// Reset does nothing: nothing is kept.
func (basic) Reset(context.Context) error { return nil }
