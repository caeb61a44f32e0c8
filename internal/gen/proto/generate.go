package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// generated is one Go file: its slash-separated path below the root and its text.
type generated struct {
	path string
	text string
}

// generate compiles all .proto files below root, which may import from below the other folders, and returns their Go
// code in the order of their paths. Nothing is written.
func generate(ctx context.Context, root string, imports ...string) ([]generated, error) {
	sources, err := find(root, ".proto")
	if err != nil {
		return nil, err
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("no .proto file below %s", root)
	}
	compiled, err := compile(ctx, append([]string{root}, imports...), sources)
	if err != nil {
		return nil, err
	}
	return runPlugin(ctx, request(sources, compiled))
}

// find lists the files below root whose names end in suffix, as slash-separated paths below root, sorted.
func find(root, suffix string) ([]string, error) {
	var found []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() && strings.HasSuffix(name, suffix) {
			found = append(found, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for *%s below %s: %w", suffix, root, err)
	}
	return found, nil
}

// compile parses and links the sources; google/protobuf/*.proto are known without files.
func compile(ctx context.Context, roots, sources []string) (linker.Files, error) {
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: roots}),
		SourceInfoMode: protocompile.SourceInfoStandard, // comments of the source become comments of the Go code
	}
	files, err := compiler.Compile(ctx, sources...)
	if err != nil {
		return nil, fmt.Errorf("compile below %s: %w", strings.Join(roots, ", "), err)
	}
	return files, nil
}

// request describes the compiled files to the plugin, each after everything it imports.
func request(sources []string, compiled linker.Files) *pluginpb.CodeGeneratorRequest {
	var ordered []*descriptorpb.FileDescriptorProto
	seen := make(map[string]bool)
	var add func(file protoreflect.FileDescriptor)
	add = func(file protoreflect.FileDescriptor) {
		if seen[file.Path()] {
			return
		}
		seen[file.Path()] = true
		imports := file.Imports()
		for i := range imports.Len() {
			add(imports.Get(i).FileDescriptor)
		}
		ordered = append(ordered, protoutil.ProtoFromFileDescriptor(file))
	}
	for _, file := range compiled {
		add(file)
	}
	return &pluginpb.CodeGeneratorRequest{
		FileToGenerate: sources,
		Parameter:      proto.String("paths=source_relative"),
		ProtoFile:      ordered,
	}
}

// runPlugin gives the request to the protoc-gen-go of go.mod and returns its answer in the order of paths. The working
// folder has to be in our module.
func runPlugin(ctx context.Context, req *pluginpb.CodeGeneratorRequest) ([]generated, error) {
	input, err := proto.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("write plugin request: %w", err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "tool", "protoc-gen-go")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go tool protoc-gen-go: %w\n%s", err, stderr.String())
	}
	var resp pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(stdout.Bytes(), &resp); err != nil {
		return nil, fmt.Errorf("read the answer of protoc-gen-go: %w", err)
	}
	if resp.Error != nil {
		return nil, errors.New("protoc-gen-go: " + resp.GetError())
	}
	files := make([]generated, 0, len(resp.File))
	for _, f := range resp.File {
		files = append(files, generated{path: f.GetName(), text: f.GetContent()})
	}
	slices.SortFunc(files, func(a, b generated) int { return strings.Compare(a.path, b.path) })
	return files, nil
}

// write puts the files below root.
func write(root string, files []generated) error {
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(f.path)), []byte(f.text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
