// Package maintenance holds the maintenance schedule of a cluster and its status.
package maintenance
