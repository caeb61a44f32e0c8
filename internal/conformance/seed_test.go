package conformance_test

import (
	"testing"
)

// TestSeed has one test for each sentence of the two texts that the module system
// was built from.
func TestSeed(t *testing.T) {
	for _, sentence := range []struct {
		says string
		test func(*testing.T)
	}{
		{"each dynlib indicates what version of MMS it is built for, and the handshake goes both ways", handshakeBothWays},
		{"the Mesos version is baked into the dynlib when it is compiled", bakedVersion},
		{"each dynlib indicates what minimum Mesos version it is compatible with", minimumVersion},
		{"the version table, row by row", versionTable},
		{"role version <= library version <= Mesos version", versionRule},
		{"by default the versions are exactly the same", exactByDefault},
		{"an extra declaration enables backwards compatibility", declaredCompatibility},
		{"the module's own check has the last word", lastWord},
		{"the own check may query other loaded libraries and modules and their versions", ownCheckAsks},
		{"only modules with pre-declared roles and binding sites can be loaded", preDeclared},
		{"modules can be used by masters and slaves, and different sets apply to either", masterAndSlave},
		{"an instance is verified to be of its role's type", typeCheck},
		{"ModuleManager::loadModule<Calculator>(\"example\")", typedLoad},
		{"there can be multiple modules in a dynlib, for the same role too, and user code can cherry-pick", cherryPick},
		{"after all dynlibs have been loaded, all verification is run; instances and bindings follow", barriers},
		{"slave --modules=\"/root/path1:module1,path2:module2\" --allocator=\"module1\" --auth=\"module2\"", flagForms},
		{"a library name is expanded and searched", nameExpansion},
		{"modules are bound by the flag of their site", bindingFlags},
		{"parameters are per module", perModuleParameters},
		{"the minimal example: calculator->compute('A', 10)", seedCalculator},
		{"the HelloWorld module", helloWorld},
		{"building a module", guidesBuild},
		{"libraries built against headers of different age keep their own tables", headerAges},
		{"a module for Apache Mesos itself is told how to port", upstreamBinary},
		{"modules express and check interdependencies and mutual compatibility", interdependencies},
		{"modules have a version number of their own", moduleVersions},
		{"module deletion is automatic", automaticDeletion},
	} {
		t.Run(sentence.says, sentence.test)
	}
}
