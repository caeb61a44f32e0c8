// Package authorization holds what authorizers are asked: may this subject do this to that.
package authorization
