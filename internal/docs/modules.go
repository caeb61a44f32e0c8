package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mesos-modules/mms/internal/catalog"
	"github.com/mesos-modules/mms/roles"
)

// Write writes the pages and parts of pages that are generated. root is the folder of
// the repository.
func Write(root string) error {
	index, err := ModulesPage(root)
	if err != nil {
		return err
	}
	pages := map[string]string{"docs/rules.md": RulesPage(), "docs/modules/README.md": index}
	for _, r := range roles.Table() {
		path := "docs/roles/" + strings.ToLower(r.Name) + ".md"
		page, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return err
		}
		if pages[path], err = RolePage(root, string(page), r.Name); err != nil {
			return err
		}
	}
	for path, text := range pages {
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// ModulesPage is the text of docs/modules/README.md: a line for each module that
// ships. root is the folder of the repository.
func ModulesPage(root string) (string, error) {
	folders, err := Folders(root)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("<!-- Generated from internal/catalog. DO NOT EDIT; \"make generate\" writes it. -->\n\n" +
		"# The modules that ship\n\n" +
		"A binding flag takes the module's name or its word. What is `builtin` is compiled into the daemons and needs no manifest but for its parameters; what is a\n" +
		"`goplugin` can be built as one from the same source; what is `native` exists in C++ too. A library of the manifest that has a module of a builtin one's name stands\n" +
		"in for it. [The roles](../roles/README.md) say what each kind is for, and `mesos-module roles` prints what is here.\n\n" +
		"| module | role | word | version | carried as | what it does |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, m := range catalog.Modules() {
		folder, ok := folders[m.Name]
		if !ok {
			continue // a test says so
		}
		fmt.Fprintf(&b, "| [%s](%s) | [%s](../roles/%s.md) | %s | %s | %s | %s |\n", m.Name, PageOf(folder), m.Role, strings.ToLower(m.Role),
			words(m), m.Version, strings.Join(m.Vehicles, ", "), m.Description)
	}
	return b.String(), nil
}

const generated = "<!-- What follows is generated from internal/catalog; \"make generate\" writes it. -->\n"

// RolePage is the page of a role with what ships for it: the lines between a mark and
// the next heading.
func RolePage(root, page, role string) (string, error) {
	folders, err := Folders(root)
	if err != nil {
		return "", err
	}
	before, after, ok := strings.Cut(page, generated)
	if !ok {
		return "", fmt.Errorf("the page of %s has no line %s", role, generated)
	}
	_, after, ok = strings.Cut(after, "\n## ")
	if !ok {
		return "", fmt.Errorf("the page of %s has no heading behind what ships", role)
	}
	var b strings.Builder
	b.WriteString(before + generated + "\n| module | word | carried as | what it does |\n| --- | --- | --- | --- |\n")
	for _, m := range catalog.OfRole(role) {
		if folder, ok := folders[m.Name]; ok {
			fmt.Fprintf(&b, "| [%s](../modules/%s) | %s | %s | %s |\n", m.Name, PageOf(folder), words(m), strings.Join(m.Vehicles, ", "), m.Description)
		}
	}
	b.WriteString("\n## " + after)
	return b.String(), nil
}

func words(m catalog.Module) string {
	if len(m.Words) == 0 {
		return "-"
	}
	return "`" + strings.Join(m.Words, "`, `") + "`"
}

// PageOf is the page in docs/modules of the module in a folder: isolator-posixcpu.md of
// modules/isolator/posixcpu.
func PageOf(folder string) string {
	return strings.ReplaceAll(strings.TrimPrefix(folder, "modules/"), "/", "-") + ".md"
}

var nameLine = regexp.MustCompile(`(?m)^(?:const |\t)Name += "(\w+)"$`)

// Folders are the folders of the modules below modules, from the repository's root, by
// the modules' names: those whose package has the constant Name.
func Folders(root string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(root, "modules", "*", "*", "*.go"))
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if m := nameLine.FindSubmatch(content); m != nil {
			folder, err := filepath.Rel(root, filepath.Dir(file))
			if err != nil {
				return nil, err
			}
			all[string(m[1])] = filepath.ToSlash(folder)
		}
	}
	return all, nil
}
