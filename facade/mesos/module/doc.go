// Package module holds the messages that exist only for modules.
package module
