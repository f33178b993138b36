package internal

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

const module = "github.com/extant-project/extant/"

// policy is who may import whom among this project's packages, bottom-up: the
// packages of a line may import those that the line names, and everything that
// those may import. Tests are free. Change it in a commit of its own, with the
// reason.
const policy = `
pkg/apis/extant                  <
pkg/apis/extant/v1alpha1         < pkg/apis/extant
pkg/generated                    < pkg/apis/extant/v1alpha1
internal/policyenv               < pkg/generated
pkg/apis/extant/validation       < pkg/apis/extant internal/policyenv
pkg/apis/extant/fuzzer           < pkg/apis/extant
pkg/apis/extant/install          < pkg/apis/extant/v1alpha1
pkg/printers                     < pkg/apis/extant
internal/cluster                 < pkg/apis/extant
internal/catalogue               < internal/cluster pkg/apis/extant/install
internal/inventory               < internal/cluster
internal/plugins                 < internal/cluster
internal/rbac                    < internal/cluster
internal/requestpath/builtin        <
internal/requestpath/customresource < internal/cluster
internal/requestpath             < internal/inventory internal/rbac internal/requestpath/builtin internal/requestpath/customresource
internal/outage                  < internal/requestpath
internal/finding                 < internal/requestpath internal/policyenv pkg/apis/extant/install
internal/dump                    < internal/cluster pkg/apis/extant/install
internal/observe                 < internal/cluster pkg/apis/extant/install pkg/generated
internal/pki                     <
pkg/registry/raw                 <
pkg/registry/stored              < pkg/apis/extant/validation pkg/printers pkg/apis/extant/install pkg/registry/raw
pkg/registry/review              < pkg/apis/extant/validation pkg/printers internal/outage pkg/apis/extant/install pkg/registry/raw
internal/controller              < pkg/generated internal/cluster internal/inventory internal/plugins internal/outage internal/finding internal/pki pkg/apis/extant/install
internal/nodeagent               < pkg/apis/extant/v1alpha1
pkg/apiserver                    < pkg/registry/stored pkg/registry/review internal/observe internal/dump internal/controller internal/catalogue
internal/plugin                  < pkg/registry/review pkg/generated internal/catalogue internal/dump
cmd/apiserver                    < pkg/apiserver
cmd/kubectl-extant               < internal/plugin
cmd/node-agent                   < internal/nodeagent
`

func TestImportsPointOneWay(t *testing.T) {
	allowed := parse(policy)
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedImports, Dir: ".."}, "./pkg/...", "./internal/...", "./cmd/...")
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded) < 10 {
		t.Fatalf("only %d packages were found", len(loaded))
	}
	for _, p := range loaded {
		importer := strings.TrimPrefix(p.PkgPath, module)
		line, ok := lineOf(allowed, importer)
		if !ok {
			if !testOnly(importer) {
				t.Errorf("%s has no line in the policy", importer)
			}
			continue
		}
		for path := range p.Imports {
			imported, ours := strings.CutPrefix(path, module)
			if !ours {
				if strings.HasPrefix(path, "k8s.io/kubernetes") {
					t.Errorf("%s imports %s: never k8s.io/kubernetes", importer, path)
				}
				continue
			}
			if target, ok := lineOf(allowed, imported); !ok || (target != line && !slices.Contains(allowed[line], target)) {
				t.Errorf("%s must not import %s", importer, imported)
			}
		}
	}
}

// testOnly packages are imported by tests alone.
func testOnly(path string) bool {
	return path == "internal" || strings.HasPrefix(path, "internal/scenario") || strings.HasPrefix(path, "internal/observe/")
}

// parse returns each line's packages with all that they may import, closed
// over the lines above.
func parse(text string) map[string][]string {
	allowed := map[string][]string{}
	for line := range strings.Lines(strings.TrimSpace(text)) {
		left, right, _ := strings.Cut(line, "<")
		name := strings.TrimSpace(left)
		allowed[name] = []string{}
		for _, direct := range strings.Fields(right) {
			allowed[name] = append(allowed[name], direct)
			allowed[name] = append(allowed[name], allowed[direct]...)
		}
	}
	return allowed
}

// lineOf returns the line of a package: its own, or that of the nearest folder
// above it.
func lineOf(allowed map[string][]string, path string) (string, bool) {
	for path != "" {
		if _, ok := allowed[path]; ok {
			return path, true
		}
		cut := strings.LastIndex(path, "/")
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	return "", false
}
