package conformance_test

func moreCases() []upstreamCase { return nil }
