package lua

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// store keeps the last good script of one path from one start of the daemon to the next.
type store struct {
	dir  func() (string, error) // that of the module's state
	path string                 // of the script

	kept   [sha256.Size]byte
	failed bool // and that was told
}

// file has the path in its name: another script has another one.
func (s *store) file() (string, error) {
	dir, err := s.dir()
	if err != nil {
		return "", err
	}
	of := sha256.Sum256([]byte(s.path))
	return filepath.Join(dir, "last-good-"+hex.EncodeToString(of[:6])+".lua"), nil
}

// get returns what was put last.
func (s *store) get() ([]byte, error) {
	path, err := s.file()
	if err != nil {
		return nil, err
	}
	text, _, err := open(path)
	return text, err
}

// put keeps a script, unless it is there; the one before is replaced in one step. An error
// is returned once: it will be the same each time.
func (s *store) put(last *script) error {
	if s.kept == last.digest || s.failed {
		return nil
	}
	path, err := s.file()
	if err == nil {
		err = replace(path, last.text)
	}
	if err != nil {
		s.failed = true
		return fmt.Errorf("keep the last good script: %w", err)
	}
	s.kept = last.digest
	return nil
}

func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".last-good-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
