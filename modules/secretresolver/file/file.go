// Package file is a secret resolver that finds secrets in files: a reference names a file
// below one folder.
package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/secretresolver/secret"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_FileSecretResolver"

type parameters struct {
	Root    string       `mms:"root,required" doc:"absolute path of the folder that holds the secrets"`
	MaxSize facade.Bytes `mms:"max_size" default:"64KB" doc:"a larger file is no secret"`
	Exposed bool         `mms:"allow_world_readable" default:"false" doc:"take files that everybody on the host may read"`
	Whole   bool         `mms:"keep_newline" default:"false" doc:"count the line end at the end of a file as part of the secret"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[secretresolver.SecretResolver]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Resolves references to secrets that are kept in files.",
		Parameters:  facade.SchemaOf[parameters](),
		New: func(_ context.Context, _ facade.Host, p facade.Parameters) (secretresolver.SecretResolver, error) {
			c, err := facade.Decode[parameters](p)
			if err != nil {
				return nil, err
			}
			return newResolver(c)
		},
	},
}}

// resolver does not change, and keeps no file open: what is put in place of the folder
// holds at once.
type resolver struct {
	secretresolver.Unimplemented
	parameters
}

func newResolver(p parameters) (*resolver, error) {
	if !filepath.IsAbs(p.Root) {
		return nil, fmt.Errorf("parameter root: %q is no absolute path", p.Root)
	}
	if p.MaxSize == 0 {
		return nil, errors.New("parameter max_size is 0: no secret is that small")
	}
	info, err := os.Stat(p.Root)
	if err == nil && !info.IsDir() {
		err = errors.New("it is no folder")
	}
	if err != nil {
		return nil, fmt.Errorf("parameter root: %s: %w", p.Root, cause(err))
	}
	return &resolver{parameters: p}, nil
}

func (r *resolver) Resolve(ctx context.Context, s *mesosv1.Secret) (*mesosv1.Secret_Value, error) {
	value, reference, err := secret.Split(s)
	if value != nil || err != nil {
		return value, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := r.read(nameOf(reference))
	if err != nil {
		return nil, fmt.Errorf("the secret %q: %w", nameOf(reference), cause(err))
	}
	return &mesosv1.Secret_Value{Data: data}, nil
}

// nameOf is the file: the name of the secret, or with a key that file in the folder of
// that name.
func nameOf(r *mesosv1.Secret_Reference) string {
	if r.Key == nil {
		return r.GetName()
	}
	return r.GetName() + "/" + r.GetKey()
}

func (r *resolver) read(name string) ([]byte, error) {
	if !filepath.IsLocal(name) || path.Clean(name) != name {
		return nil, errors.New("it is no plain name of a file below the folder of secrets")
	}
	root, err := os.OpenRoot(r.Root)
	if err != nil {
		return nil, fmt.Errorf("the folder of secrets %s: %w", r.Root, err)
	}
	defer root.Close()
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // does not wait for the writer of a pipe
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := r.check(f); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, int64(r.MaxSize)+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > int(r.MaxSize):
		return nil, fmt.Errorf("it is larger than %v (max_size)", r.MaxSize)
	}
	text := string(data)
	if !r.Whole {
		text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	}
	if text == "" {
		return nil, errors.New("its file is empty")
	}
	return []byte(text), nil
}

// check looks at the file that is open, so that none can be put in its place.
func (r *resolver) check(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return errors.New("it is no file")
	case mode.Perm()&0o002 != 0:
		return errors.New("everybody may write its file; take that away with chmod o-w")
	case mode.Perm()&0o004 != 0 && !r.Exposed:
		return errors.New("everybody may read its file; take that away with chmod o-r, or set allow_world_readable")
	}
	return nil
}

// cause leaves out the path, which is said already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
