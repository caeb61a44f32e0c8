// Command host is a daemon that does nothing but the trial of the plugins it is
// given; the last of them is opened within the limit that goes before them.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
	"github.com/mesos-modules/mms/manager/vehicle/native"
)

func main() {
	plugins := goplugin.New("")
	if trial.Main(plugins, native.New()) {
		return
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(carrier, limit string, paths []string) error {
	d, err := time.ParseDuration(limit)
	if err != nil {
		return err
	}
	var requests []trial.Request
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		requests = append(requests, trial.Request{File: vehicle.File{Path: p, Size: info.Size()}, Vehicle: carrier})
	}
	requests[len(requests)-1].Limit = d
	verdicts, err := trial.Run(context.Background(), requests, trial.Options{})
	if err != nil {
		return err
	}
	for _, v := range verdicts {
		if v.Err != nil {
			fmt.Println("refused:", v.Err)
			continue
		}
		for _, m := range v.Description.Modules {
			fmt.Println("good:", m.Name, m.Role)
		}
	}
	return nil
}
