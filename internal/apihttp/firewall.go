package apihttp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Firewall answers requests to disabled paths with 403, whoever sends them.
func Firewall(disabled []string, next http.Handler) http.Handler {
	if len(disabled) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimRight(r.URL.Path, "/")
		if slices.Contains(disabled, path) {
			Refuse(http.StatusForbidden, "Endpoint '%s' is disabled", path).Write(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// FirewallPaths reads the paths that rules disable, written as the flag --firewall_rules
// has them.
func FirewallPaths(rules json.RawMessage) ([]string, error) {
	var given struct {
		DisabledEndpoints struct {
			Paths []string `json:"paths"`
		} `json:"disabled_endpoints"`
	}
	if err := json.Unmarshal(rules, &given); err != nil {
		return nil, fmt.Errorf(`want {"disabled_endpoints": {"paths": [...]}}: %w`, err)
	}
	for _, path := range given.DisabledEndpoints.Paths {
		if !strings.HasPrefix(path, "/") {
			return nil, fmt.Errorf("the path %q does not begin with a slash", path)
		}
	}
	return given.DisabledEndpoints.Paths, nil
}
