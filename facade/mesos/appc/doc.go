// Package appc holds the manifest of an App Container image.
package appc
