// Package dockerv1 holds the manifest of a Docker image, version 1.
package dockerv1
