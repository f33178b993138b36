package builtin

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/extant-project/extant/internal/cluster"
)

var (
	pod        = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	deployment = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
)

func TestTheTableIsOfTheNewestVersion(t *testing.T) {
	if want := "\n# Kubernetes " + cluster.NewestVersion + "\n"; !strings.Contains(decodingText, want) {
		t.Errorf("decoding.txt is not of %s: run hack/update-builtin-changes.sh, and read anew what server.yaml says", cluster.NewestVersion)
	}
}

func TestWhatDecodingAlwaysAdds(t *testing.T) {
	for path, want := range map[string]string{
		"spec.replicas":                                                "1",
		"spec.strategy.type":                                           `"RollingUpdate"`,
		"spec.template.spec.restartPolicy":                             `"Always"`,
		"spec.template.spec.containers[].ports[].protocol":             `"TCP"`,
		"spec.template.spec.volumes[].secret.defaultMode":              "420",
		"spec.template.spec.containers[].imagePullPolicy":              "", // by the tag of the image
		"spec.template.spec.volumes[].emptyDir":                        "", // unless there is another source
		"spec.strategy.rollingUpdate":                                  "", // unless the type is Recreate
		"spec.template.spec.serviceAccountName":                        "", // where there is a serviceAccount
		"spec.template.spec.containers[].livenessProbe.httpGet.scheme": `"HTTP"`,
	} {
		node := at(Decoded(deployment), path)
		constant := ""
		if node != nil && node.Constant != nil {
			text, err := json.Marshal(node.Constant)
			if err != nil {
				t.Fatal(err)
			}
			constant = string(text)
		}
		if node == nil || !node.Appears || constant != want {
			t.Errorf("%s: %+v, not %q", path, node, want)
		}
	}
	for _, path := range []string{"spec.paused", "spec.template.spec.containers[].image", "spec.template.spec.hostNetwork", "metadata.labels"} {
		if node := at(Decoded(deployment), path); node != nil {
			t.Errorf("%s: %+v", path, node)
		}
	}
}

// at returns the node at a path.
func at(n *Node, path string) *Node {
	for _, name := range strings.Split(strings.ReplaceAll(path, "[]", ".[]"), ".") {
		if name == "[]" {
			if n == nil {
				return nil
			}
			n = n.Items
		} else {
			n = n.Field(name)
		}
	}
	return n
}

func TestSettle(t *testing.T) {
	tree := &Node{Fields: map[string]*Node{
		"always":   {Appears: true, Constant: int64(1)},
		"may":      {Appears: true, Because: "somebody"},
		"changes":  {Changes: true},
		"zero":     {ZeroChanges: true},
		"quantity": {Rounds: true},
		"list":     {Items: &Node{Fields: map[string]*Node{"always": {Appears: true, Constant: "x"}, "zero": {ZeroChanges: true}}}},
		"labels":   {Fields: map[string]*Node{"known": {Appears: true}}, Items: &Node{Changes: true}},
	}}
	for _, c := range []struct{ name, object, settled, left string }{
		{"what is absent comes, or may come", `{}`, `{"always": 1}`, "may+"},
		{"what is there stays", `{"always": 2, "may": 3}`, `{"always": 2, "may": 3}`, ""},
		{"what may change is in doubt where it is there", `{"always": 1, "may": 1, "changes": {}}`, `{"always": 1, "may": 1, "changes": {}}`, "changes~"},
		{"what changes if it is zero is settled where it is not", `{"may": 1, "zero": 7}`, `{"always": 1, "may": 1, "zero": 7}`, ""},
		{"and is not where it is", `{"may": 1, "zero": 0}`, `{"always": 1, "may": 1, "zero": 0}`, "zero~"},
		{"quantities are rounded up", `{"may": 1, "quantity": "1500u"}`, `{"always": 1, "may": 1, "quantity": "2m"}`, ""},
		{"each item of a list is settled", `{"may": 1, "list": [{}, {"always": "y", "zero": 0}]}`, `{"always": 1, "may": 1, "list": [{"always": "x"}, {"always": "y", "zero": 0}]}`, "list[].zero~"},
		{"free keys are as items", `{"may": 1, "labels": {"known": "a", "free": "b"}}`, `{"always": 1, "may": 1, "labels": {"known": "a", "free": "b"}}`, "labels.free~"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settled, left := tree.Settle(object(t, c.object))
			if diff := cmp.Diff(object(t, c.settled), settled); diff != "" {
				t.Errorf("settled (-want +got):\n%s", diff)
			}
			if got := strings.Join(marks(left, ""), " "); got != c.left {
				t.Errorf("left in doubt: %q, not %q", got, c.left)
			}
		})
	}
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var value map[string]any
	if err := utiljson.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// marks lists what is in doubt.
func marks(n *Node, path string) []string {
	if n == nil {
		return nil
	}
	var all []string
	if n.Appears {
		all = append(all, path+"+")
	}
	if n.Changes {
		all = append(all, path+"~")
	}
	for name, field := range n.Fields {
		all = append(all, marks(field, strings.TrimPrefix(path+"."+name, "."))...)
	}
	return append(all, marks(n.Items, path+"[]")...)
}

func TestWhatTheServerAddsIsSeenFromItsPhaseOn(t *testing.T) {
	create := Request{Resource: schema.GroupResource{Resource: "pods"}, Operation: admission.Create, Kind: pod}
	for _, c := range []struct {
		path                 string
		mutating, validating bool
	}{
		{"spec.priority", true, true},
		{"spec.tolerations", true, true},
		{"metadata.uid", false, true},
		{"status", false, true},
		{"spec.overhead", false, false}, // there is no runtime class
		{"spec.hostNetwork", false, false},
	} {
		for phase, want := range map[Phase]bool{Mutating: c.mutating, Validating: c.validating} {
			node := at(create.Changes(map[string]any{}, phase), c.path)
			if got := node != nil && node.Appears; got != want {
				t.Errorf("%s in phase %d: %t, not %t", c.path, phase, got, want)
			}
		}
	}
	withClass := map[string]any{"spec": map[string]any{"runtimeClassName": "sandbox"}}
	if node := at(create.Changes(withClass, Mutating), "spec.overhead"); node == nil || node.Because != "RuntimeClass" {
		t.Errorf("with a runtime class: %+v", node)
	}
}

// What server.yaml names must exist: a typing mistake would make a change
// unknown to be a change that never comes.
func TestTheServersRulesNameWhatThereIs(t *testing.T) {
	types := map[string][]reflect.Type{}
	var all []reflect.Type
	for _, r := range builtinResources(t) {
		name := schema.GroupResource{Group: r.Group, Resource: r.Resource}.String()
		if r.Subresource != "" {
			name += "/" + r.Subresource
		}
		object, err := scheme.Scheme.New(r.Kind)
		if err != nil {
			continue
		}
		types[name] = append(types[name], reflect.TypeOf(object))
		all = append(all, reflect.TypeOf(object))
	}
	for _, r := range rules() {
		candidates := all
		if len(r.Resources) > 0 {
			candidates = nil
		}
		for _, name := range append(r.Resources, r.Except...) {
			found, ok := types[name]
			if !ok && !outside[name] {
				t.Errorf("%s: there is no resource %s", r.By, name)
			}
			candidates = append(candidates, found...)
		}
		if len(candidates) > 0 {
			checkPaths(t, r.By, r.node, "", candidates)
		}
	}
}

// outside are resources whose types are elsewhere, or which an API server has
// only when told to.
var outside = map[string]bool{
	"customresourcedefinitions.apiextensions.k8s.io":        true,
	"customresourcedefinitions.apiextensions.k8s.io/status": true,
	"apiservices.apiregistration.k8s.io/status":             true,
	"storageversions.internal.apiserver.k8s.io/status":      true,
	"evictions.lifecycle.k8s.io/status":                     true,
	"evictionrequests.lifecycle.k8s.io/status":              true,
	"resourcepoolstatusrequests.resource.k8s.io":            true,
	"resourcepoolstatusrequests.resource.k8s.io/status":     true,
	"compositepodgroups.scheduling.k8s.io":                  true,
	"compositepodgroups.scheduling.k8s.io/status":           true,
}

func builtinResources(t *testing.T) []cluster.APIResource {
	t.Helper()
	table, err := os.ReadFile("../../cluster/builtin.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []cluster.APIResource
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n") {
		if f := strings.Fields(line); line[0] != '#' {
			gv, err := schema.ParseGroupVersion(f[0])
			if err != nil {
				t.Fatal(err)
			}
			r := cluster.APIResource{Group: gv.Group, Version: gv.Version, Kind: gv.WithKind(f[2])}
			if kind, _ := schema.ParseKindArg(f[2]); kind != nil {
				r.Kind = *kind
			}
			r.Resource, r.Subresource, _ = strings.Cut(f[1], "/")
			all = append(all, r)
		}
	}
	return all
}

// checkPaths fails the test for each field that none of the types has.
func checkPaths(t *testing.T, by string, n *Node, path string, types []reflect.Type) {
	t.Helper()
	for name, field := range n.Fields {
		var within []reflect.Type
		for _, typ := range types {
			within = append(within, fieldTypes(typ, name)...)
		}
		at := path + "." + name
		if len(within) == 0 {
			t.Errorf("%s: no kind has the field %s", by, at)
			continue
		}
		checkPaths(t, by, field, at, within)
	}
	if n.Items != nil {
		var within []reflect.Type
		for _, typ := range types {
			if typ = pointed(typ); typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
				within = append(within, typ.Elem())
			}
		}
		if len(within) == 0 {
			t.Errorf("%s: %s is no list", by, path)
		}
		checkPaths(t, by, n.Items, path+"[]", within)
	}
}

func fieldTypes(t reflect.Type, name string) []reflect.Type {
	t = pointed(t)
	switch t.Kind() {
	case reflect.Map:
		return []reflect.Type{t.Elem()}
	case reflect.Struct:
	default:
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == name {
			return []reflect.Type{f.Type}
		}
		if tag == "" && f.Anonymous {
			if found := fieldTypes(f.Type, name); found != nil {
				return found
			}
		}
	}
	return nil
}

func pointed(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}
