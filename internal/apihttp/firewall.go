package apihttp

import (
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
