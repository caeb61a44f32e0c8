package flags

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mesos-modules/mms/facade/stout"
)

// Kind is a type of flag: how its values are read and written. A daemon makes its own for values this package does not
// know.
type Kind[T any] struct {
	// Name stands for the value in the help: --port=PORT.
	Name string

	// Parse reads a value. Its error says what is wanted and must not repeat the text, which may be secret.
	Parse func(text string) (T, error)

	// Format writes a value the way Parse reads it.
	Format func(T) string

	exact   bool // white space around a value read from a file is part of it
	path    bool // file://… names the file itself and not a value in it
	boolean bool // --name and --no-name
}

var (
	textKind = Kind[string]{Name: "TEXT", exact: true,
		Parse:  func(text string) (string, error) { return text, nil },
		Format: func(text string) string { return text },
	}
	pathKind = Kind[string]{Name: "PATH", path: true, Parse: parsePath, Format: textKind.Format}
	boolKind = Kind[bool]{Name: "BOOL", boolean: true, Parse: parseBool, Format: strconv.FormatBool}
	intKind  = Kind[int]{Name: "NUMBER", Parse: parseInt, Format: strconv.Itoa}
	uintKind = Kind[uint64]{Name: "NUMBER", Parse: parseUint,
		Format: func(n uint64) string { return strconv.FormatUint(n, 10) },
	}
	floatKind = Kind[float64]{Name: "FRACTION", Parse: parseFloat,
		Format: func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) },
	}
	portKind = Kind[uint16]{Name: "PORT", Parse: parsePort,
		Format: func(p uint16) string { return strconv.Itoa(int(p)) },
	}
	durationKind = Kind[time.Duration]{Name: "DURATION", Parse: stout.ParseDuration, Format: stout.FormatDuration}
	bytesKind    = Kind[stout.Bytes]{Name: "SIZE", Parse: stout.ParseBytes, Format: stout.Bytes.String}
	jsonKind     = Kind[json.RawMessage]{Name: "JSON", Parse: parseJSON,
		Format: func(text json.RawMessage) string { return string(text) },
	}
)

func choiceKind(choices []string) Kind[string] {
	return Kind[string]{
		Name:   strings.Join(choices, "|"),
		Format: textKind.Format,
		Parse: func(text string) (string, error) {
			if !slices.Contains(choices, text) {
				return "", fmt.Errorf("want one of %s", strings.Join(choices, ", "))
			}
			return text, nil
		},
	}
}

func parsePath(text string) (string, error) {
	if text == "" {
		return "", errors.New("want a path")
	}
	if path, isURL := strings.CutPrefix(text, fileScheme); isURL {
		if !filepath.IsAbs(path) {
			return "", errFileURL
		}
		return path, nil
	}
	return text, nil
}

func parseBool(text string) (bool, error) {
	switch text {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	default:
		return false, errors.New("want true, false, 1 or 0")
	}
}

func parseInt(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("want a whole number from %d to %d", math.MinInt, math.MaxInt)
	}
	return n, nil
}

func parseUint(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("want a whole number from 0 to %d", uint64(math.MaxUint64))
	}
	return n, nil
}

func parseFloat(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, errors.New("want a number like 0.8")
	}
	return f, nil
}

func parsePort(text string) (uint16, error) {
	p, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("want a port from 0 to %d", math.MaxUint16)
	}
	return uint16(p), nil
}

// parseJSON keeps the text, on one line.
func parseJSON(text string) (json.RawMessage, error) {
	var syntax *json.SyntaxError
	var raw json.RawMessage
	err := json.Unmarshal([]byte(text), &raw)
	switch {
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("want JSON: %s: %w", place(text, int(syntax.Offset)), err)
	case err != nil:
		return nil, fmt.Errorf("want JSON: %w", err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, fmt.Errorf("want JSON: %w", err)
	}
	return compact.Bytes(), nil
}

// place says where the last of the first n bytes of text stands.
func place(text string, n int) string {
	before := text[:max(n-1, 0)]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("line %d, column %d", line, column)
}
