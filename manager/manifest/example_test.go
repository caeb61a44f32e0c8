package manifest_test

import (
	"fmt"

	"github.com/mesos-modules/mms/manager/manifest"
)

func ExampleParse() {
	m, _, err := manifest.Parse("/root/path1:module1,path2:module2", manifest.Options{})
	fmt.Println(m.Text(), err)
	// Output:
	// {"libraries":[{"file":"/root/path1","modules":[{"name":"module1"}]},{"file":"path2","modules":[{"name":"module2"}]}]} <nil>
}

func ExampleParse_problems() {
	_, _, err := manifest.Parse(`{"libraries": [
  {"file": "/opt/libcalc.so", "module": []},
  {"modules": {"name": "m", "parameters": {"key": "size", "value": 10}}}
]}`, manifest.Options{})
	fmt.Println(err)
	// Output:
	// 3 problems:
	//   * --modules:2:31: libraries[0]: unknown key "module"; did you mean "modules"?
	//   * --modules:3:3: libraries[1]: neither "file" nor "name"; one of them must say which library is meant
	//   * --modules:3:68: libraries[1].modules.parameters.value: a number, want a string; write "10"
}

func ExampleManifest_Text() {
	m, _, err := manifest.Parse(`{"libraries": {"name": "auth", "modules": {"name": "m", "parameters": [
		{"key": "realm", "value": "mesos"}, {"key": "password", "value": "hunter2"}]}}}`, manifest.Options{})
	fmt.Println(m.Text(), err)
	// Output:
	// {"libraries":[{"name":"auth","modules":[{"name":"m","parameters":[{"key":"realm","value":"mesos"},{"key":"password","value":"(hidden)"}]}]}]} <nil>
}

func ExampleResolve() {
	_, tried, err := manifest.Resolve(manifest.Library{Name: "calc"}, "/", []string{"/no/such/folder"})
	fmt.Println(tried)
	fmt.Println(err)
	// Output:
	// [/no/such/folder/libcalc.so]
	// library "libcalc.so" not found; tried /no/such/folder/libcalc.so (no such file or directory)
}

func ExampleParseRefs() {
	refs, err := manifest.ParseRefs("org_example_first,org_example_second@>=1.1 <2")
	for _, r := range refs {
		fmt.Printf("%s %q\n", r.Name, r.Constraint)
	}
	fmt.Println(err)
	// Output:
	// org_example_first ""
	// org_example_second ">=1.1 <2"
	// <nil>
}
