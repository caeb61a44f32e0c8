package operator

import "time"

// Hurry sets in which time the first record of a stream has to come.
func (o *Operator) Hurry(patience time.Duration) { o.patience = patience }
