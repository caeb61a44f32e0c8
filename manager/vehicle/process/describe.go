package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/golib"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// maxDescription bounds what a library says of itself, as where it is tried.
const maxDescription = 8 << 20

// describe greets the process and has it open the library.
func (l *library) describe(ctx context.Context, opening protocol.Opening) (d vehicle.Description, err error) {
	if err := l.conn.Greet(ctx); err != nil {
		return d, stranger(err)
	}
	answer, err := protocol.Ask[protocol.Described](ctx, l.root, protocol.Describe, opening)
	if err != nil {
		return d, err
	}
	if answer.Refusal != nil {
		return d, answer.Refusal.Error()
	}
	if err := l.origin.library.Unchanged(); err != nil {
		return d, err
	}
	return l.judged(answer.Description)
}

// stranger makes a refusal of two sides that have no version in common.
func stranger(err error) error {
	if _, differ := errors.AsType[*wire.VersionError](err); differ {
		return &vehicle.Refusal{Rule: finding.Handshake, Problem: err.Error(), Cause: err,
			Mend: "build the library with a release of " + mmsModule + " that speaks this daemon's version"}
	}
	return err
}

// judged makes of what the process says what the daemon may believe.
func (o *origin) judged(d vehicle.Description) (vehicle.Description, error) {
	cutAll(reflect.ValueOf(&d).Elem())
	d.Vehicle, d.Complete, d.Build = o.opening.Vehicle, true, o.opening.Description.Build
	if o.isolates() {
		d.Build = append(d.Build[:len(d.Build):len(d.Build)], vehicle.Setting{Key: "isolation", Value: "process"})
	}
	text, err := json.Marshal(d)
	if err != nil {
		return d, fmt.Errorf("the library's description cannot be read: %w", err)
	}
	if len(text) > maxDescription {
		return d, &vehicle.Refusal{Rule: finding.LibraryOpens, Problem: fmt.Sprintf("the library's description has %d bytes, and %d are allowed", len(text), maxDescription),
			Mend: "declare less in one library"}
	}
	return d, nil
}

// cutAll cuts all texts in v to what a declaration may have.
func cutAll(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(protocol.Cut(v.String(), golib.MaxText))
	case reflect.Slice:
		for i := range v.Len() {
			cutAll(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			cutAll(v.Field(i))
		}
	default: // no text
	}
}
