package inventory

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
)

// readCluster reads the cluster of a test from YAML documents.
func readCluster(t testing.TB, data string, points []*extant.ExtensionPoint) *cluster.Snapshot {
	t.Helper()
	contents, err := dump.ReadStream("cluster", strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return contents.Snapshot(namedResources(points)...)
}

// namedResources returns what points name and Extant does not observe itself.
func namedResources(points []*extant.ExtensionPoint) []schema.GroupResource {
	var named []schema.GroupResource
	for _, resource := range Reads(points) {
		if _, ok := cluster.Lookup(resource); !ok {
			named = append(named, resource)
		}
	}
	return named
}

// decodeAll reads YAML documents of the served version.
func decodeAll[T runtime.Object](t testing.TB, data string) []T {
	t.Helper()
	decoder := serializer.NewCodecFactory(install.Scheme, serializer.EnableStrict).UniversalDecoder(extant.SchemeGroupVersion)
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader([]byte(data))))
	var all []T
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(string(document)) == "" {
			continue
		}
		object, err := runtime.Decode(decoder, document)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, object.(T))
	}
}

// rebuild makes a snapshot anew, with the objects put in another order, and
// one resource, if it is named, forbidden.
func rebuild(snapshot *cluster.Snapshot, points []*extant.ExtensionPoint, seed uint64, forbidden schema.GroupResource) *cluster.Snapshot {
	type item struct {
		resource schema.GroupResource
		object   cluster.Object
	}
	var all []item
	resources := append(namedResources(points), schema.GroupResource{Resource: "pods"})
	for i := range cluster.Resources {
		resources = append(resources, cluster.Resources[i].GroupResource())
	}
	b := cluster.NewBuilder(snapshot.Origin)
	seen := map[schema.GroupResource]bool{}
	for _, resource := range resources {
		if resource == forbidden || seen[resource] {
			continue
		}
		seen[resource] = true
		for object := range snapshot.Objects(resource).All() {
			all = append(all, item{resource, object})
		}
	}
	random := rand.New(rand.NewPCG(seed, seed))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, i := range all {
		b.Put(i.resource, i.object)
	}
	gaps := map[string][]cluster.Gap{}
	for _, gap := range snapshot.Gaps() {
		gaps[gap.Resource] = append(gaps[gap.Resource], gap)
	}
	if forbidden.Resource != "" {
		gaps[forbidden.String()] = []cluster.Gap{{Resource: forbidden.String(), Reason: cluster.GapForbidden, Message: "may not list"}}
	}
	for resource, of := range gaps {
		b.SetGaps(resource, of...)
	}
	b.SetVersion(snapshot.GitVersion)
	b.SetDiscovery(snapshot.Discovery)
	return b.Snapshot()
}

// format prints an inventory for people.
func format(inventory *Inventory) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for i := range inventory.Extensions {
		e := &inventory.Extensions[i]
		line("extension %s (%s)", e.Name, e.Labels[extant.LabelOrigin])
		for _, p := range e.Status.Points {
			line("  occupies %s (%s): %d", p.Name, p.Pattern, p.Hooks)
		}
		if len(e.Status.Provides) > 0 {
			line("  provides %s", strings.Join(e.Status.Provides, ", "))
		}
		if len(e.Status.Backends) > 0 {
			line("  backends %s", strings.Join(e.Status.Backends, ", "))
		}
		line("  on failure %s", orDash(string(e.Status.FailureMode)))
		for _, c := range e.Status.Conditions {
			line("  %s %s %s: %s", c.Type, c.Status, c.Reason, c.Message)
		}
		for _, c := range e.Status.Components {
			found := ""
			if !c.Found {
				found = " not found"
			}
			line("  - %s %s%s", schema.GroupResource{Group: c.Group, Resource: c.Resource},
				strings.TrimPrefix(strings.TrimSpace(c.Namespace+"/"+c.Name+" "+c.Ready), "/"), found)
		}
	}
	for i := range inventory.Backends {
		formatBackend(line, &inventory.Backends[i])
	}
	for i := range inventory.Hooks {
		h := &inventory.Hooks[i]
		line("hook %s %s/%s %s of %s", h.Point, h.Object, h.Name, orDash(h.FailurePolicy), orDash(h.Extension))
	}
	for _, name := range inventory.Gone {
		line("gone %s", name)
	}
	return b.String()
}

func formatBackend(line func(string, ...any), b *extant.Backend) {
	where := b.Spec.URL
	if s := b.Spec.Service; s != nil {
		where = fmt.Sprintf("%s/%s:%d", s.Namespace, s.Name, s.Port)
	}
	line("backend %s at %s", b.Name, where)
	line("  %s %s: %s", b.Status.Available, b.Status.Reason, b.Status.Message)
	if e := b.Status.Endpoints; e != nil {
		line("  endpoints %d/%d on %d nodes in %d zones", e.Ready, e.Total, e.Nodes, e.Zones)
	}
	for _, w := range b.Status.Workloads {
		line("  workload %s %s/%s", w.Resource, w.Namespace, w.Name)
	}
	for _, c := range b.Spec.Callers {
		line("  called by %s %s %s/%s %s %s %ds", c.Point, c.Resource, c.Object, c.Hook, orDash(c.Path), orDash(c.FailurePolicy), c.TimeoutSeconds)
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// formatPoints prints the points that something is registered at, or that the
// cluster may not support.
func formatPoints(points map[string]extant.ExtensionPointStatus, names []string) string {
	var b strings.Builder
	for _, name := range names {
		p := points[name]
		if p.Hooks == 0 && p.Extensions == 0 && p.Supported == "True" {
			continue
		}
		fmt.Fprintf(&b, "point %s %s: %d hooks, %d extensions %v\n", name, p.Supported, p.Hooks, p.Extensions, p.ExtensionNames)
	}
	return b.String()
}
