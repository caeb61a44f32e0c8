// Package resourceprovider holds the API between an agent and its resource providers.
package resourceprovider
