package depgraph

import "testing"

var scenarios = []struct{ name, text string }{
	{"a module that requires itself", `
		a: a
		root --x: a
		finding: self-requirement a
		path: --x -> a -> a
		text: a names itself: requires a
		mend: drop it`},
	{"two modules of one name", `
		a@1.0.0 role=X:
		a@2.0.0:
		b: a>=3
		finding: duplicate-name a
		path: a
		text: 2 modules are named a: a 2.0.0, a 1.0.0 (X)
		mend: keep one`},
	{"a required module that is not there", `
		a: b
		b: c>=1.1
		root --allocator: a
		finding: missing-module b
		path: --allocator -> a -> b -> c (requires >=1.1)
		text: b requires c >=1.1, which is not there
		hand:
		mend: add c (none is at hand), or drop what requires it`},

	{"nothing at all", `
		order:
		levels:
		needed:`},
	{"names break ties", `
		c:
		a:
		b: c
		order: a c b
		levels: a c | b
		needed:
		why a:`},
	{"a name may be free before a larger one that came earlier", `
		a: z
		b:
		z:
		order: b z a`},
	{"a diamond", `
		a: b c
		b: d
		c: d
		d:
		root --x: a
		order: d b c a
		levels: d | b c | a
		needed: d b c a
		why d: --x -> a -> b -> d
		requires a: b, c`},
	{"only what a root reaches is needed", `
		a: b
		b:
		c: b
		root --x: a
		order: b a c
		needed: b a
		why c:`},
	{"the shortest way explains, then the first by name", `
		a: c
		b: d
		c: d
		d:
		root --y: a
		root --x: b
		needed: d b c a
		why d: --x -> b -> d`},
	{"of two roots at one distance the first by name", `
		a: c
		b: c
		c:
		root --x: b
		root --y: a
		why c: --x -> b -> c`},
	{"constraints show in paths", `
		a@2.1.0: b>=1.1,<2
		b@1.5.0:
		root --x: a>=2
		why b: --x -> a (binds >=2) -> b (requires >=1.1 <2)
		requires a: b (requires >=1.1 <2)`},

	{"the pre-release tag of a version is dropped", `
		a: b>=1.5
		b@1.5.0-rc.1:
		order: b a`},
	{"a pre-release of the next major is the next major", `
		a: b<2
		b@2.0.0-rc.1:
		finding: version-clash b
		text: b is 2.0.0-rc.1; wanted by a (requires <2)`},
	{"the pre-release tag of a constraint is dropped", `
		a: b>=1.5.0-rc.1
		b@1.5.0-alpha:
		order: b a`},
	{"a tag in a constraint counts for no comparison", `
		a: b=1.5.0-rc.1 b<=1.5.0-rc.1 b~1.5.0-rc.1 b!=1.6.0-rc.1
		b@1.5.0:
		order: b a`},
	{"what is after a pre-release in semantic versioning is not after it here", `
		a: b>1.5.0-rc.1
		b@1.5.0:
		finding: version-clash b`},
	{"a constraint with a tag does not forgive the version below", `
		a: b>=1.5.0-rc.1
		b@1.4.9:
		finding: version-clash b`},
	{"no version satisfies no constraint, and the star", `
		a: b c*
		b:
		c:
		order: b c a`},
	{"no version satisfies nothing else", `
		a: b>=0
		b:
		finding: version-clash b
		text: b declares no version; wanted by a (requires >=0)
		hand: b given
		mend: none of the versions at hand (b (declares no version)) satisfies all`},
	{"a version that is not strict", `
		a@1.2: b
		b@v1.0.0: a>=7
		root --x: a
		finding: bad-version a
		path: --x -> a
		finding: bad-version b
		path: --x -> a -> b
		finding: cycle a`},
	{"a constraint that is none", `
		a: b>>1
		b@1.0.0:
		root --x: a=>=
		finding: bad-constraint
		path: --x -> a (binds =>=)
		finding: bad-constraint a
		path: --x -> a (binds =>=) -> b (requires >>1)
		text: a wants b in version >>1`},

	{"a version clash names every requirer and what fits all", `
		a: b>=1.1
		c: ?b>=2
		d: b
		b@1.5.0:
		root --x: b<3
		root --y: d
		hand b@2.1.0
		hand b@3.0.0
		hand b@2.0.0-rc.1
		hand b@nonsense
		hand c@2.5.0
		finding: version-clash b
		path: c -> b (optional >=2)
		requirers: --x <3 ok, a >=1.1 ok, c >=2 refused, d ok
		hand: b 2.1.0 fits, b 2.0.0-rc.1 fits, b 3.0.0, b 1.5.0 given
		text: b is 1.5.0; wanted by --x (binds <3), a (requires >=1.1), c (optional >=2), 1 in any version
		mend: load b 2.1.0, b 2.0.0-rc.1 instead`},
	{"a version that is at hand twice is proposed once", `
		a: b>=2
		b@1.0.0:
		hand b@2.0.0
		hand b@2.0.0
		finding: version-clash b
		hand: b 2.0.0 fits, b 1.0.0 given`},
	{"findings of one rule and module are sorted by target, not by kind", `
		a: y>>1 role:X>>1
		x role=X:
		y:
		finding: bad-constraint a
		path: a -> X (requires-role X >>1)
		finding: bad-constraint a
		path: a -> y (requires >>1)`},
	{"a version clash that nothing at hand can end", `
		a: b>=2
		c: b<2
		b@1.5.0:
		root --x: c
		root --y: a
		hand b@2.0.0
		finding: version-clash b
		path: --y -> a -> b (requires >=2)
		requirers: a >=2 refused, c <2 ok
		hand: b 2.0.0, b 1.5.0 given
		mend: none of the versions at hand (b 2.0.0, b 1.5.0) satisfies all requirers: loosen a constraint`},
	{"a root refuses a version", `
		a@1.0.0:
		root --allocator: a>=2
		finding: version-clash a
		path: --allocator -> a (binds >=2)
		requirers: --allocator >=2 refused`},
	{"a root without its module", `
		a: b
		root --allocator: b>=2
		root --other: a
		hand b@1.0.0
		finding: missing-root
		path: --allocator -> b (binds >=2)
		requirers: --allocator >=2 refused, a refused
		mend: add b in a version that satisfies all requirers (none of b 1.0.0 does), or let --allocator name another module
		finding: missing-module a
		path: --other -> a -> b`},
	{"a missing module that is at hand", `
		a: c>=1
		b: c<2
		hand c@1.5.0
		hand c@2.0.0
		root --x: b
		finding: missing-module b
		path: --x -> b -> c (requires <2)
		requirers: a >=1 refused, b <2 refused
		hand: c 1.5.0 fits, c 2.0.0
		mend: add c 1.5.0, which is at hand`},

	{"an optional module that is there comes first and is needed", `
		a: ?z>=1
		z@1.0.0:
		root --x: a
		order: z a
		needed: z a
		why z: --x -> a -> z (optional >=1)
		requires a: z (optional >=1)`},
	{"an optional module that is not there", `
		a: ?z>=1
		order: a`},
	{"after orders and needs nobody", `
		a: ~z ~y ~gone
		y:
		z@1.0.0 role=R:
		root --x: a
		order: y z a
		needed: a
		requires a:`},
	{"after a role", `
		a role=R: ~R
		y role=R:
		z role=R:
		order: y z a`},
	{"after takes a module rather than a role of that name", `
		a: ~m
		m:
		z role=m:
		order: m a z`},
	{"after with a constraint means those versions", `
		a: ~z<2 ~y<2
		y@1.0.0:
		z@2.0.0:
		order: y a z`},

	{"a role takes all modules that fulfil it", `
		a: role:R
		y role=R:
		z role=R:
		root --x: a
		order: y z a
		needed: y z a
		why z: --x -> a -> z (requires-role R)
		requires a: y (requires-role R), z (requires-role R)`},
	{"a role with a constraint takes those that satisfy it", `
		a: role:R>=2
		x role=R:
		y@1.0.0 role=R:
		z@2.0.0 role=R:
		root --x: a
		order: x y z a
		needed: z a
		requires a: z (requires-role R >=2)`},
	{"a role in another role's wrapper", `
		a role=R: role:R
		b role=R:
		order: b a`},
	{"a role that only the requirer has", `
		a role=R: role:R
		root --x: a
		finding: missing-role a
		path: --x -> a -> R (requires-role R)
		text: is the only one of that role
		mend: add a module of role R (none is at hand)`},
	{"a role that nobody has", `
		a: role:R
		b: role:R
		c role=Q:
		root --x: b
		hand d@1.0.0 role=R
		finding: missing-role b
		requirers: a refused, b refused
		text: no module of that role is there
		mend: add d 1.0.0, which is at hand`},
	{"a role of which no version will do", `
		a: role:R>=2
		b@1.0.0 role=R:
		c role=R:
		finding: missing-role a
		text: none of its other modules satisfies: b 1.0.0, c (declares no version)
		hand: b 1.0.0 given, c given`},

	{"a conflict", `
		a: !b c
		b@1.0.0:
		c: b
		root --x: a
		finding: conflict a
		path: --x -> a -> b (conflicts)
		text: a conflicts with b, and b 1.0.0 is there
		mend: leave out a or b`},
	{"a conflict with some versions", `
		a: !b<2 !c<2 !d<2
		b@1.0.0:
		c@2.0.0:
		d:
		finding: conflict a
		mend: or take a version of b outside <2`},
	{"a conflict with nobody there", `
		a: !b
		order: a`},

	{"a cycle, whole, from its smallest name", `
		c: a
		b: c
		a: b
		d: a
		root --x: d
		finding: cycle a
		path: --x -> d -> a
		cycle: a -> b -> c -> a
		text: a -> b -> c -> a
		mend: take out one of its edges (requires)`},
	{"a cycle that an after closes", `
		a: b
		b: ~a
		finding: cycle a
		cycle: a -> b -> a (after)
		mend: drop the ` + "`after`" + ` of b towards a`},
	{"a cycle through a role and an optional module", `
		a role=R: ?b
		b: role:R
		finding: cycle a
		cycle: a -> b (optional) -> a (requires-role R)
		mend: drop the ` + "`optional`" + ` of a towards b`},
	{"a hard edge beside a soft one is the one that counts", `
		a: ~b b
		b: a
		finding: cycle a
		mend: take out one of its edges (requires)`},
	{"two modules that want each other through their role", `
		a role=R: role:R
		b role=R: role:R
		finding: cycle a
		cycle: a -> b (requires-role R) -> a (requires-role R)`},
	{"each knot once, by its shortest cycle", `
		a: b
		b: c a
		c: a
		x: y
		y: x
		z: a
		finding: cycle a
		cycle: a -> b -> a
		text: 3 modules are entangled
		finding: cycle x
		cycle: x -> y -> x`},

	{"all findings in one run, by rule and name", `
		a@x: a b c!!
		b@1.0.0: gone !c
		c@1.0.0: role:Gone
		d: b>=2
		e: f
		f: e
		root --x: nobody
		finding: bad-version a
		finding: bad-constraint a
		finding: self-requirement a
		finding: missing-root
		finding: missing-module b
		finding: missing-role c
		finding: version-clash b
		finding: conflict b
		finding: cycle e`},
}

func TestSolve(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) { runScenario(t, s.text) })
	}
}
