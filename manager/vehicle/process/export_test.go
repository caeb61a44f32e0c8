package process

import "time"

// Impatient has processes killed that do not end at once when they are asked to.
func (v *Vehicle) Impatient() { v.leaving = 100 * time.Millisecond }
