// Command builtinchanges writes the table that internal/requestpath/builtin
// embeds: for each of Kubernetes' own kinds the fields that decoding a request
// adds or changes, by versioned defaulting and by conversion to the internal
// version and back. It finds them by trying: it makes many objects of each
// kind, does with them what an API server does, and compares. That works for
// any kind of any version and needs no reading of defaulting functions.
package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/install"

	"k8s.io/kubernetes/pkg/api/legacyscheme"
)

const header = `# What decoding a request adds to and changes in Kubernetes' own kinds, written by hack/update-builtin-changes.sh
# with the types of the version below. A kind is a line without indentation. Under it are its fields, those of a field
# indented further; [] stands for the elements of a list, {} for the values of a map. "+" marks what may appear where
# it is absent, "= VALUE" what then always has that value, "~" what may change or vanish, "~0" what does only where it
# is 0, false or empty, "^" quantities that are rounded up to thousandths. "@n" is a part that several kinds have in
# common, written once as "@n:" at the first of them. Kinds without a line are left as they are.
`

// gates are the states of feature gates in which everything is tried. A field
// that is the same in one and not in another may change.
var gates = []string{"", "AllAlpha=true,AllBeta=true", "AllAlpha=false,AllBeta=false"}

// oldest is the minor version of the oldest API server that is understood.
const oldest = 30

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "builtinchanges: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("usage: builtinchanges VERSION SOURCES TABLE [KIND...], where SOURCES are the directories of k8s.io/api and k8s.io/kubernetes, separated by a comma")
	}
	constants, err := readConstants(strings.Split(args[1], ","))
	if err != nil {
		return err
	}
	scheme := legacyscheme.Scheme
	apiextensions.Install(scheme)
	apiregistration.Install(scheme)
	var trials []*trial
	for _, gvk := range kindsOf(scheme) {
		if len(args) == 3 || slices.Contains(args[3:], gvk.Kind) {
			trials = append(trials, newTrial(scheme, gvk, constants))
		}
	}
	for _, gate := range gates {
		if gate != "" {
			if err := utilfeature.DefaultMutableFeatureGate.Set(gate); err != nil {
				return fmt.Errorf("could not set feature gates: %w", err)
			}
		}
		if err := runAll(trials); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s# Kubernetes %s\n", header, args[0])
	w := writer{out: &b, parts: map[string]int{}}
	for _, t := range trials {
		if t.root.interesting() {
			fmt.Fprintf(os.Stderr, "%s: %d tries, %d refused\n", t.gvk, t.tries, t.refused)
			w.count(t.root)
		}
	}
	for _, t := range trials {
		if t.root.interesting() {
			w.kind(t.gvk, t.root)
		}
	}
	return os.WriteFile(args[2], b.Bytes(), 0o644)
}

// runAll runs trials side by side. Each is the same whatever the others do.
func runAll(trials []*trial) error {
	var group errgroup.Group
	group.SetLimit(2 * goruntime.GOMAXPROCS(0))
	for _, t := range trials {
		group.Go(func() error {
			if err := t.run(); err != nil {
				return fmt.Errorf("%s: %w", t.gvk, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// kindsOf returns what can be the body of a request.
func kindsOf(scheme *runtime.Scheme) []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	for gvk := range scheme.AllKnownTypes() {
		meta := gvk.Kind == "WatchEvent" || strings.HasSuffix(gvk.Kind, "List") ||
			slices.Contains([]string{"ListOptions", "GetOptions", "CreateOptions", "UpdateOptions", "PatchOptions", "DeleteOptions"}, gvk.Kind)
		if gvk.Version != runtime.APIVersionInternal && !meta && !gone(scheme, gvk) && scheme.IsVersionRegistered(gvk.GroupVersion()) && gvk.Group != "meta.k8s.io" {
			kinds = append(kinds, gvk)
		}
	}
	slices.SortFunc(kinds, func(x, y schema.GroupVersionKind) int {
		return cmp.Or(cmp.Compare(x.Group, y.Group), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Version, y.Version))
	})
	return kinds
}

// gone tells whether no supported version of Kubernetes serves the kind.
func gone(scheme *runtime.Scheme, gvk schema.GroupVersionKind) bool {
	object, err := scheme.New(gvk)
	if err != nil {
		return true
	}
	o, ok := object.(interface{ APILifecycleRemoved() (int, int) })
	if !ok {
		return false
	}
	_, minor := o.APILifecycleRemoved()
	return minor <= oldest
}
