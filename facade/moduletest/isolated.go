package moduletest

import (
	"context"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// InProcess runs the library, which is a [File], in a process of its own, as a manifest
// with "isolation": "process" does. An executable runs in one without being asked.
func InProcess() Option { return func(s *settings) { s.inProcess = true } }

// launcher is the vehicle that runs libraries in processes, with the kit between its
// modules and the daemon.
func (k *Kit) launcher() vehicle.Launcher {
	for _, v := range k.vehicles {
		if l, ok := v.(vehicle.Launcher); ok {
			return watchedLauncher{l, k}
		}
	}
	return nil
}

type watchedLauncher struct {
	vehicle.Launcher
	kit *Kit
}

// Launch implements vehicle.Launcher.
func (l watchedLauncher) Launch(ctx context.Context, f vehicle.File, d vehicle.Description, c vehicle.Confinement) (vehicle.Mortal, vehicle.Description, error) {
	launched, d, err := l.Launcher.Launch(ctx, f, d, c)
	if err != nil {
		return nil, d, err
	}
	return watchedMortal{launched, l.kit}, d, nil
}

type watchedMortal struct {
	vehicle.Mortal
	kit *Kit
}

// Create implements vehicle.Library.
func (m watchedMortal) Create(ctx context.Context, module string, host facade.Host, p facade.Parameters) (vehicle.Instance, error) {
	ctx, h, leave := m.kit.between(ctx, host)
	defer leave()
	return m.Mortal.Create(ctx, module, h, p)
}

// Again implements vehicle.Mortal.
func (m watchedMortal) Again(ctx context.Context) (vehicle.Mortal, error) {
	again, err := m.Mortal.Again(ctx)
	if err != nil {
		return nil, err
	}
	return watchedMortal{again, m.kit}, nil
}
