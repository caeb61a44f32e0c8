package facade

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/mesos-modules/mms/facade/stout"
)

// Secret is a parameter value that no print, log or endpoint shows. A field of
// this type makes its parameter secret.
type Secret string

// String hides the value.
func (Secret) String() string { return "<secret>" }

// GoString hides the value from %#v.
func (Secret) GoString() string { return "<secret>" }

// MarshalText hides the value from JSON and other encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte("<secret>"), nil }

// ParameterSpec describes one parameter.
type ParameterSpec struct {
	Key      string `json:"key"`
	Type     string `json:"type"` // string, secret, bool, int, uint, float, duration, bytes
	Default  string `json:"default,omitempty"`
	Doc      string `json:"doc,omitempty"`
	Required bool   `json:"required,omitempty"`
	Secret   bool   `json:"secret,omitempty"`
	Repeated bool   `json:"repeated,omitempty"` // the key may stand several times
}

// Schema describes a module's parameters. The zero Schema describes nothing and
// lets every key pass.
type Schema struct {
	specs    []ParameterSpec
	declared bool
	err      error
}

// SchemaOf reads the schema from the exported fields of the struct T:
//
//	type Config struct {
//		Operation string        `mms:"operation" default:"sum" doc:"what baz does"`
//		Interval  time.Duration `mms:"interval" default:"5secs"`
//		Token     facade.Secret `mms:"token,required"`
//		Hosts     []string      `mms:"host"`
//	}
//
// Field types are string, Secret, bool, the integer and float kinds,
// time.Duration (in Mesos' notation: 5secs, 1.5mins), Bytes (2GB), and slices of
// these for keys that may be repeated. Options after the key are "required" and
// "secret". A T that cannot be read gives a Schema whose Err is set, which
// verification reports against the module.
func SchemaOf[T any]() Schema {
	s := Schema{declared: true}
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		s.err = fmt.Errorf("parameters are declared by a struct, and %v is none", t)
		return s
	}
	var errs []error
	seen := map[string]string{}
	for i := range t.NumField() {
		f := t.Field(i)
		spec, ok, err := specOf(f)
		if err == nil && ok && seen[spec.Key] != "" {
			err = fmt.Errorf("field %s: the key %q is already that of %s", f.Name, spec.Key, seen[spec.Key])
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%v: %w", t, err))
			continue
		}
		if ok {
			seen[spec.Key] = f.Name
			s.specs = append(s.specs, spec)
		}
	}
	s.err = errors.Join(errs...)
	return s
}

// MakeSchema makes a schema from specs that were read elsewhere, for vehicles
// whose libraries declare parameters in another language.
func MakeSchema(specs []ParameterSpec) Schema {
	return Schema{specs: append([]ParameterSpec(nil), specs...), declared: true}
}

// Declared reports whether there is a schema at all.
func (s Schema) Declared() bool { return s.declared }

// Err says why the schema cannot be used, or nil.
func (s Schema) Err() error { return s.err }

// Specs returns the parameters in the order of declaration. The slice is the
// caller's.
func (s Schema) Specs() []ParameterSpec { return append([]ParameterSpec(nil), s.specs...) }

// Spec returns the description of one key.
func (s Schema) Spec(key string) (ParameterSpec, bool) {
	for _, x := range s.specs {
		if x.Key == key {
			return x, true
		}
	}
	return ParameterSpec{}, false
}

// Check returns one error for each way in which p does not match the schema, in
// the order of p. Values of secret parameters are not shown.
func (s Schema) Check(p Parameters) []error {
	if !s.declared || s.err != nil {
		return nil
	}
	var errs []error
	count := map[string]int{}
	for _, x := range p {
		spec, ok := s.Spec(x.Key)
		if !ok {
			errs = append(errs, fmt.Errorf("there is no parameter %q%s", x.Key, s.known()))
			continue
		}
		if count[x.Key]++; count[x.Key] == 2 && !spec.Repeated {
			errs = append(errs, fmt.Errorf("parameter %q is given more than once", x.Key))
		}
		if _, err := parseKind(spec.Type, x.Value); err != nil {
			shown := strconv.Quote(x.Value)
			if spec.Secret {
				shown = "the value (secret)"
			}
			errs = append(errs, fmt.Errorf("parameter %q: %s is no %s: %w", x.Key, shown, spec.Type, err))
		}
	}
	for _, spec := range s.specs {
		if spec.Required && count[spec.Key] == 0 {
			errs = append(errs, fmt.Errorf("parameter %q is required (%s)", spec.Key, spec.Type))
		}
	}
	return errs
}

func (s Schema) known() string {
	if len(s.specs) == 0 {
		return "; the module takes none"
	}
	keys := make([]string, len(s.specs))
	for i, x := range s.specs {
		keys[i] = x.Key
	}
	return "; the module knows " + strings.Join(keys, ", ")
}

// Decode fills a T from the defaults in its tags and from p. All problems come
// in one error.
func Decode[T any](p Parameters) (T, error) {
	var out T
	schema := SchemaOf[T]()
	if schema.err != nil {
		return out, schema.err
	}
	if errs := schema.Check(p); len(errs) > 0 {
		return out, errors.Join(errs...)
	}
	v := reflect.ValueOf(&out).Elem()
	for i := range v.NumField() {
		spec, ok, _ := specOf(v.Type().Field(i)) // SchemaOf has checked every field
		if !ok {
			continue
		}
		values := p.All(spec.Key)
		if len(values) == 0 && spec.Default != "" {
			values = []string{spec.Default}
		}
		if err := setField(v.Field(i), spec, values); err != nil {
			return out, fmt.Errorf("parameter %q: %w", spec.Key, err)
		}
	}
	return out, nil
}

// Bytes is a size in bytes, written as Mesos writes it: 64MB.
type Bytes = stout.Bytes

func specOf(f reflect.StructField) (ParameterSpec, bool, error) {
	tag, ok := f.Tag.Lookup("mms")
	if !ok || tag == "-" {
		return ParameterSpec{}, false, nil
	}
	if !f.IsExported() {
		return ParameterSpec{}, false, fmt.Errorf("field %s carries a tag and is not exported", f.Name)
	}
	key, options, _ := strings.Cut(tag, ",")
	spec := ParameterSpec{Key: key, Default: f.Tag.Get("default"), Doc: f.Tag.Get("doc")}
	if key == "" {
		return spec, false, fmt.Errorf("field %s: the tag names no key", f.Name)
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "":
		case "required":
			spec.Required = true
		case "secret":
			spec.Secret = true
		default:
			return spec, false, fmt.Errorf("field %s: unknown option %q; there are required and secret", f.Name, option)
		}
	}
	t := f.Type
	if t.Kind() == reflect.Slice {
		spec.Repeated, t = true, t.Elem()
	}
	spec.Type = kindOf(t)
	if spec.Type == "" {
		return spec, false, fmt.Errorf("field %s: a parameter cannot be a %v", f.Name, f.Type)
	}
	spec.Secret = spec.Secret || spec.Type == "secret"
	if spec.Default != "" {
		if spec.Required {
			return spec, false, fmt.Errorf("field %s: a required parameter has no use for a default", f.Name)
		}
		if err := setField(reflect.New(f.Type).Elem(), spec, []string{spec.Default}); err != nil {
			return spec, false, fmt.Errorf("field %s: default %q: %w", f.Name, spec.Default, err)
		}
	}
	return spec, true, nil
}

func kindOf(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Secret]():
		return "secret"
	case reflect.TypeFor[time.Duration]():
		return "duration"
	case reflect.TypeFor[Bytes]():
		return "bytes"
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "int"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "uint"
	case reflect.Float32, reflect.Float64:
		return "float"
	default:
		return ""
	}
}

func setField(v reflect.Value, spec ParameterSpec, values []string) error {
	if spec.Repeated {
		s := reflect.MakeSlice(v.Type(), len(values), len(values))
		for i, text := range values {
			if err := setScalar(s.Index(i), spec.Type, text); err != nil {
				return err
			}
		}
		v.Set(s)
		return nil
	}
	if len(values) == 0 {
		return nil
	}
	return setScalar(v, spec.Type, values[0])
}

func setScalar(v reflect.Value, kind, text string) error {
	parsed, err := parseKind(kind, text)
	if err != nil {
		return err
	}
	switch x := parsed.(type) {
	case string:
		v.SetString(x)
	case bool:
		v.SetBool(x)
	case int64:
		if v.OverflowInt(x) {
			return fmt.Errorf("%d does not fit into %v", x, v.Type())
		}
		v.SetInt(x)
	case uint64:
		if v.OverflowUint(x) {
			return fmt.Errorf("%d does not fit into %v", x, v.Type())
		}
		v.SetUint(x)
	case float64:
		if v.OverflowFloat(x) {
			return fmt.Errorf("%v does not fit into %v", x, v.Type())
		}
		v.SetFloat(x)
	default:
		return fmt.Errorf("unexpected value of type %T", parsed)
	}
	return nil
}

// parseKind reads text as one of the types of ParameterSpec.Type.
func parseKind(kind, text string) (any, error) {
	switch kind {
	case "string", "secret":
		return text, nil
	case "bool":
		switch text {
		case "true", "1":
			return true, nil
		case "false", "0":
			return false, nil
		}
		return nil, errors.New("write true or false")
	case "int":
		x, err := strconv.ParseInt(text, 10, 64)
		return x, bare(err)
	case "uint":
		x, err := strconv.ParseUint(text, 10, 64)
		return x, bare(err)
	case "float":
		x, err := strconv.ParseFloat(text, 64)
		return x, bare(err)
	case "duration":
		d, err := stout.ParseDuration(text)
		return int64(d), err
	case "bytes":
		b, err := stout.ParseBytes(text)
		return uint64(b), err
	default:
		return nil, fmt.Errorf("unknown parameter type %q", kind)
	}
}

// bare drops the text that strconv repeats, so that a secret value is not shown.
func bare(err error) error {
	var num *strconv.NumError
	if errors.As(err, &num) {
		return num.Err
	}
	return err
}
