package main

import (
	"context"
	"errors"
	"fmt"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// protoRoot is the folder that the import paths of the API's .proto files start from, below the module's root.
const protoRoot = "facade"

// messageIndex finds the description of an API message by the Go type that was generated from it.
type messageIndex map[string]protoreflect.MessageDescriptor // by import path and name

// readMessages compiles the API's .proto files. What packages hold them does not matter: the option go_package says it.
func readMessages(root string) (messageIndex, error) {
	folder := filepath.Join(root, protoRoot)
	var sources []string
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(name, ".proto") {
			sources = append(sources, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for API messages: %w", err)
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{folder}}),
		SourceInfoMode: protocompile.SourceInfoStandard, // comments are for the headers, too
	}
	compiled, err := compiler.Compile(context.Background(), sources...)
	if err != nil {
		return nil, fmt.Errorf("compile the API messages: %w", err)
	}
	all := messageIndex{}
	for _, file := range compiled {
		all.add(goPackage(file), file.Messages())
	}
	return all, nil
}

func goPackage(file linker.File) string {
	options, ok := file.Options().(interface{ GetGoPackage() string })
	if !ok {
		return ""
	}
	path, _, _ := strings.Cut(options.GetGoPackage(), ";")
	return path
}

func (x messageIndex) add(goPackage string, messages protoreflect.MessageDescriptors) {
	for i := range messages.Len() {
		m := messages.Get(i)
		x[goPackage+"."+flat(m)] = m
		x.add(goPackage, m.Messages())
	}
}

// flat is the name of a message or enum within its package: that of what it stands in, an underscore and its own, as in Go.
func flat(d protoreflect.Descriptor) string {
	name := strings.TrimPrefix(string(d.FullName()), string(d.ParentFile().Package())+".")
	return strings.ReplaceAll(name, ".", "_")
}

// of returns the description of the message that a Go type is generated from.
func (x messageIndex) of(t types.Type) (protoreflect.MessageDescriptor, error) {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return nil, fmt.Errorf("%s is no API message", types.TypeString(t, nil))
	}
	m, ok := x[named.Obj().Pkg().Path()+"."+named.Obj().Name()]
	if !ok {
		return nil, fmt.Errorf("no .proto file below %s declares %s, so there is no struct for it in C++: API messages are declared there",
			protoRoot, types.TypeString(t, nil))
	}
	return m, nil
}

// used returns the messages that the contracts name, in the order in which they do.
func (x messageIndex) used(native []contract) ([]protoreflect.MessageDescriptor, error) {
	var all []protoreflect.MessageDescriptor
	var errs []error
	for _, c := range native {
		for _, m := range c.Methods {
			for _, t := range m.messages() {
				d, err := x.of(t)
				if err != nil {
					errs = append(errs, fmt.Errorf("%s: role %s: %s: %w", m.At, c.Name, m.Name, err))
					continue
				}
				all = append(all, d)
			}
		}
	}
	return all, errors.Join(errs...)
}

// messages are the types of the API messages that a method takes, returns or gives to a sink.
func (m method) messages() []types.Type {
	var all []types.Type
	for _, v := range append(append([]value(nil), m.Params...), m.Results...) {
		if w, err := wireOf(v.Type); err == nil && w.Message != nil {
			all = append(all, w.Message)
		}
	}
	return all
}

// structName is the name of the struct of a message, or of an enum, in C++.
func structName(d protoreflect.Descriptor) string {
	return strings.ReplaceAll(string(d.ParentFile().Package()), ".", "::") + "::" + flat(d)
}

// headerOf is the path of the header with the structs of a .proto file: its own, but where the header of a role is.
func headerOf(file protoreflect.FileDescriptor) string {
	name := strings.TrimSuffix(file.Path(), ".proto")
	if strings.HasPrefix(name, "mesos/module/") {
		name += "_messages"
	}
	return name + ".hpp"
}
