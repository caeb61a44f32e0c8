package registry

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	boltErrors "go.etcd.io/bbolt/errors"
)

// FileName is the file of a registry within its folder.
const FileName = "registry.db"

// lockWait is how long another master may take to end that was told to.
const lockWait = 200 * time.Millisecond

// Open opens the registry in a folder, which it makes if it is not there, together
// with an empty registry. The file is locked: while a process has it open, no other
// can. A file that is damaged beyond reading is a *DamagedError.
func Open(folder string) (*Registrar, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("opening the registry: %w", err)
	}
	file := filepath.Join(folder, FileName)
	db, err := open(file)
	if err != nil {
		return nil, fmt.Errorf("opening the registry: %w", err)
	}
	return newRegistrar(&bolt{db: db, file: file}), nil
}

func open(file string) (*bbolt.DB, error) {
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) {
		made := create(file)
		if info, err = os.Stat(file); err != nil {
			return nil, errors.Join(made, err)
		} // else it is there, whoever made it
	}
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 { // bbolt would take it for a new one
		return nil, &DamagedError{File: file, Problem: "it is empty"}
	}
	var db *bbolt.DB
	err = guard(file, func() error {
		db, err = bbolt.Open(file, 0o600, &bbolt.Options{Timeout: lockWait})
		return err
	})
	switch {
	case errors.Is(err, boltErrors.ErrTimeout):
		return nil, fmt.Errorf("%s is in use: another master runs on the same --work_dir; end it, or give this one a folder of its own", file)
	case errors.Is(err, os.ErrPermission):
		return nil, err
	case err != nil:
		return nil, damaged(file, err)
	}
	if err := errors.Join(whole(db, file), tidy(filepath.Dir(file))); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// unfinished begins the names of folders in which registries are made.
const unfinished = ".new-"

// tidy removes what was left by those who were killed while they made a registry. Who
// still makes one is too late: this one is locked.
func tidy(folder string) error {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), unfinished) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(folder, e.Name())))
		}
	}
	return err
}

// create makes a file with an empty registry. It appears under its name all at once,
// so that an empty file is never one whose making was interrupted, and it does not
// replace one that another master has made meanwhile.
func create(file string) error {
	temporary, err := os.MkdirTemp(filepath.Dir(file), unfinished+"*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	made := filepath.Join(temporary, FileName)
	db, err := bbolt.Open(made, 0o600, &bbolt.Options{Timeout: lockWait})
	if err != nil {
		return err
	}
	err = db.Update(func(t *bbolt.Tx) error {
		for _, b := range append([]bucket{sums}, summed...) {
			if _, err := t.CreateBucket([]byte(b)); err != nil {
				return err
			}
		}
		return initialize(boltTx{t})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Link(made, file); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncFolder(filepath.Dir(file))
}

// syncFolder makes the name of a new file safe.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// whole holds if the file is as long as it says and has all buckets. Reading what was
// cut off would be a fault of the process.
func whole(db *bbolt.DB, file string) error {
	return guard(file, func() error {
		return db.View(func(t *bbolt.Tx) error {
			info, err := os.Stat(file)
			if err != nil {
				return err
			}
			if info.Size() < t.Size() {
				return &DamagedError{File: file, Problem: fmt.Sprintf("it has %d bytes of %d", info.Size(), t.Size())}
			}
			for _, b := range append([]bucket{sums}, summed...) {
				if t.Bucket([]byte(b)) == nil {
					return &DamagedError{File: file, Problem: fmt.Sprintf("bucket %s is missing", b)}
				}
			}
			return nil
		})
	})
}

// guard makes an error of what bbolt does with pages that are not what they should
// be: it panics, or reads where nothing is.
func guard(file string, do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = &DamagedError{File: file, Problem: fmt.Sprint(p)}
		}
	}()
	return do()
}

// damaged names the file in a DamagedError, and makes one of any other error.
func damaged(file string, err error) error {
	var d *DamagedError
	if errors.As(err, &d) {
		return &DamagedError{File: file, Problem: d.Problem}
	}
	return &DamagedError{File: file, Problem: err.Error()}
}

// bolt is a store in a file.
type bolt struct {
	db   *bbolt.DB
	file string
}

func (s *bolt) view(do func(tx) error) error {
	return s.named(guard(s.file, func() error {
		return s.db.View(func(t *bbolt.Tx) error { return do(boltTx{t}) })
	}))
}

func (s *bolt) update(do func(tx) error) error {
	return s.named(guard(s.file, func() error {
		return s.db.Update(func(t *bbolt.Tx) error { return do(boltTx{t}) })
	}))
}

func (s *bolt) close() error { return s.db.Close() }

func (s *bolt) named(err error) error {
	var d *DamagedError
	var no *refusal
	switch {
	case err == nil || errors.Is(err, errUnchanged) || errors.As(err, &no):
		return err
	case errors.As(err, &d):
		return damaged(s.file, d)
	default:
		return fmt.Errorf("%s: %w", s.file, err)
	}
}

type boltTx struct{ t *bbolt.Tx }

func (t boltTx) get(b bucket, key string) []byte {
	return t.t.Bucket([]byte(b)).Get([]byte(key))
}

func (t boltTx) put(b bucket, key string, value []byte) error {
	return t.t.Bucket([]byte(b)).Put([]byte(key), value)
}

func (t boltTx) delete(b bucket, key string) error {
	return t.t.Bucket([]byte(b)).Delete([]byte(key))
}

func (t boltTx) each(b bucket, do func(string, []byte) error) error {
	return t.t.Bucket([]byte(b)).ForEach(func(key, value []byte) error { return do(string(key), value) })
}
