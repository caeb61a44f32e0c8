// Package quota holds guarantees and limits of roles.
package quota
