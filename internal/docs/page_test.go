package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// page is one text, taken apart.
type page struct {
	path  string // from the repository's root
	lines []string

	blocks []*block
	prose  string // without fenced blocks
}

// block is a fenced block.
type block struct {
	page        *page
	first, last int // lines between the fences: page.lines[first:last]
	lang        string
	words       []string          // behind the language
	values      map[string]string // of those with an equals sign
}

func (b *block) text() string { return strings.Join(b.page.lines[b.first:b.last], "\n") + "\n" }

func (b *block) has(word string) bool {
	for _, w := range b.words {
		if w == word {
			return true
		}
	}
	return false
}

// pages are all texts of the repository that people read.
func pages(t *testing.T) (all []*page) {
	t.Helper()
	all = append(all, readPage(t, "../../README.md"))
	for _, folder := range []string{"docs", modulePages, rolePages} {
		all = append(all, pagesIn(t, folder)...)
	}
	return all
}

// The folders of pages that are one like the other.
const (
	modulePages = "docs/modules"
	rolePages   = "docs/roles"
)

func pagesIn(t *testing.T, folder string) (all []*page) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("../..", folder, "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, paths, "%s has no pages", folder)
	for _, path := range paths {
		all = append(all, readPage(t, path))
	}
	return all
}

func (p *page) name() string { return strings.TrimSuffix(filepath.Base(p.path), ".md") }

func (p *page) ofRole() bool { return filepath.Dir(p.path) == rolePages }

func readPage(t *testing.T, path string) *page {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	name, err := filepath.Rel("../..", path)
	require.NoError(t, err)
	p := &page{path: name, lines: strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")}
	var open *block
	var prose []string
	for i, line := range p.lines {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && open == nil:
			open = &block{page: p, first: i + 1, values: map[string]string{}}
			words := strings.Fields(fence)
			require.NotEmpty(t, words, "%s:%d: a fenced block says its language", name, i+1)
			open.lang, open.words = words[0], words[1:]
			for _, w := range open.words {
				if key, value, ok := strings.Cut(w, "="); ok {
					open.values[key] = value
				}
			}
		case isFence:
			require.Empty(t, fence, "%s:%d: a block ends with a bare fence", name, i+1)
			open.last = i
			p.blocks = append(p.blocks, open)
			open = nil
		case open == nil:
			prose = append(prose, line)
		}
	}
	require.Nil(t, open, "%s: a block does not end", name)
	p.prose = strings.Join(prose, "\n")
	return p
}

// anchors are those that the page's headings make.
func (p *page) anchors() map[string]bool {
	all := map[string]bool{}
	for line := range strings.SplitSeq(p.prose, "\n") {
		if heading := strings.TrimLeft(line, "#"); heading != line && strings.HasPrefix(heading, " ") {
			all[anchor(strings.TrimSpace(heading))] = true
		}
	}
	return all
}

// anchor is what a heading is called in links: lower case, only letters, digits,
// hyphens and underscores, hyphens for spaces.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, heading)
}

var codeSpan = regexp.MustCompile("`([^`\n]+)`")

// spans are what stands in code font in the prose.
func (p *page) spans() (all []string) {
	for _, m := range codeSpan.FindAllStringSubmatch(p.prose, -1) {
		all = append(all, m[1])
	}
	return all
}
