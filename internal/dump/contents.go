package dump

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/extant-project/extant/internal/cluster"
)

// origin is what snapshots of a dump say of themselves.
const origin = "dump"

var (
	namespaces  = schema.GroupResource{Resource: "namespaces"}
	nodes       = schema.GroupResource{Resource: "nodes"}
	definitions = schema.GroupResource{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}
	apiServices = schema.GroupResource{Group: "apiregistration.k8s.io", Resource: "apiservices"}
)

// key is an object's place in its resource.
type key struct{ namespace, name string }

// Contents is what a dump says. It is not changed once it was read.
type Contents struct {
	objects   map[schema.GroupResource]map[key]cluster.Object
	others    map[schema.GroupKind]map[key]*cluster.Metadata
	params    map[schema.GroupKind]map[key]*unstructured.Unstructured
	version   string
	discovery *cluster.Discovery
	gaps      []cluster.Gap
}

// Snapshot is the dump as an observed cluster, with the resources that users
// named for observation.
func (c *Contents) Snapshot(named ...schema.GroupResource) *cluster.Snapshot {
	b := cluster.NewBuilder(origin)
	c.fill(b, named, nil)
	return b.Snapshot()
}

// fill puts the dump into a Builder, which is empty or was filled from an
// earlier state of the dump: what is the same remains, with its revision.
func (c *Contents) fill(b *cluster.Builder, named []schema.GroupResource, more []cluster.Gap) {
	b.SetVersion(c.version)
	b.SetDiscovery(c.discovery)
	gaps := map[string][]cluster.Gap{dumpItself: nil, "version": nil, "discovery": nil}
	for i := range cluster.Resources {
		resource := cluster.Resources[i].GroupResource()
		b.Replace(resource, slices.Collect(maps.Values(c.objects[resource])))
		gaps[resource.String()] = nil
	}
	for _, resource := range named {
		if _, observed := cluster.Lookup(resource); observed {
			continue
		}
		objects := c.named(resource)
		b.Replace(resource, objects)
		gaps[resource.String()] = nil
		if len(objects) == 0 {
			gaps[resource.String()] = []cluster.Gap{{Reason: cluster.GapNotInDump, Message: messageNone}}
		}
	}
	for kind, all := range c.params {
		b.Replace(cluster.ParamsOf(c.resourceOf(kind)), objectsOf(all))
	}
	for _, gap := range slices.Concat(c.gaps, more) {
		gaps[gap.Resource] = append(gaps[gap.Resource], gap)
	}
	for resource, of := range gaps {
		b.SetGaps(resource, of...)
	}
}

// named is the objects of a resource that is not observed otherwise. Where
// discovery does not know the resource, its kind goes by the plural.
func (c *Contents) named(resource schema.GroupResource) []cluster.Object {
	var objects []cluster.Object
	served := c.discovery.Versions(resource)
	for kind, all := range c.others {
		if kind.Group != resource.Group {
			continue
		}
		plural, _ := meta.UnsafeGuessKindToResource(kind.WithVersion(""))
		if len(served) > 0 && served[0].Kind.Kind != kind.Kind || len(served) == 0 && plural.Resource != resource.Resource {
			continue
		}
		for _, metadata := range all {
			objects = append(objects, metadata)
		}
	}
	return objects
}

// assemble makes one of the parts of a dump, in their order: of objects with
// the same name, the last one stays.
func assemble(parts []*part) *Contents {
	c := &Contents{
		objects: map[schema.GroupResource]map[key]cluster.Object{},
		others:  map[schema.GroupKind]map[key]*cluster.Metadata{},
	}
	var documents discoveryDocuments
	var n notes
	for _, p := range parts {
		for _, o := range p.objects {
			put(c.objects, o.resource, o.object)
		}
		for _, o := range p.others {
			put(c.others, o.kind.GroupKind(), o.metadata)
		}
		documents.merge(p.discovery)
		n.add(p)
	}
	c.setVersion(parts, &n)
	n.discovered = len(documents.resources) > 0
	c.discovery = documents.discovery(c.version, c.definitions())
	c.place(&n)
	c.keepParams(parts)
	c.assumeNamespaces(&n)
	n.undescribed = c.undescribed()
	c.gaps = n.gaps(c)
	return c
}

func put[K comparable, T cluster.Object](tables map[K]map[key]T, of K, object T) {
	if tables[of] == nil {
		tables[of] = map[key]T{}
	}
	tables[of][key{object.GetNamespace(), object.GetName()}] = object
}

// setVersion finds the version of the API server: what the dump says, a file
// of that name before others, else the newest kubelet's, else the newest known.
func (c *Contents) setVersion(parts []*part, n *notes) {
	for _, p := range parts {
		for _, stated := range p.versions {
			if isVersionFile(p.file) || !n.versionFile {
				c.version = stated
				n.versionFile = isVersionFile(p.file)
			}
		}
	}
	if _, err := version.ParseGeneric(c.version); err == nil {
		return
	}
	n.badVersion = c.version
	c.version = ""
	var newest *version.Version
	for _, name := range sortedKeys(c.objects[nodes]) {
		kubelet := c.objects[nodes][name].(*corev1.Node).Status.NodeInfo.KubeletVersion
		if v, err := version.ParseGeneric(kubelet); err == nil && (newest == nil || newest.LessThan(v)) {
			newest, c.version = v, kubelet
		}
	}
	if c.version == "" {
		c.version, n.assumedVersion = cluster.NewestVersion, true
	}
}

// isVersionFile tells whether a file has the answer of /version, or that of
// kubectl version.
func isVersionFile(name string) bool {
	base := name[strings.LastIndex(name, "/")+1:]
	return base == "version.json" || base == "version.yaml" || base == "version.yml"
}

// definitions returns the CustomResourceDefinitions in order of their names.
func (c *Contents) definitions() []*apiextensionsv1.CustomResourceDefinition {
	var all []*apiextensionsv1.CustomResourceDefinition
	for _, name := range sortedKeys(c.objects[definitions]) {
		all = append(all, c.objects[definitions][name].(*apiextensionsv1.CustomResourceDefinition))
	}
	return all
}

// place puts namespaced objects of kinds that are not observed into a
// namespace, as was done for the others when they were read.
func (c *Contents) place(n *notes) {
	for kind, all := range c.others {
		served, known := c.discovery.ResourceOf(kind)
		if !known {
			continue
		}
		for _, at := range sortedKeys(all) {
			metadata := all[at]
			switch {
			case served.Namespaced == (at.namespace != ""):
				continue
			case served.Namespaced:
				metadata.Namespace = metav1.NamespaceDefault
				n.unplaced = append(n.unplaced, schema.GroupResource{Group: served.Group, Resource: served.Resource}.String()+" "+at.name)
			default:
				metadata.Namespace = ""
			}
			delete(all, at)
			put(c.others, kind, metadata)
		}
	}
	slices.Sort(n.unplaced)
}

// assumeNamespaces adds the namespaces that objects live in.
func (c *Contents) assumeNamespaces(n *notes) {
	row, _ := cluster.Lookup(namespaces)
	n.namespacesInDump = len(c.objects[namespaces]) > 0
	missing := map[string]bool{}
	for _, all := range c.objects {
		for at := range all {
			missing[at.namespace] = true
		}
	}
	for _, all := range c.others {
		for at := range all {
			missing[at.namespace] = true
		}
	}
	delete(missing, "")
	for at := range c.objects[namespaces] {
		delete(missing, at.name)
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		assumed, err := row.Keep(&corev1.Namespace{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Status:     corev1.NamespaceStatus{Phase: corev1.NamespaceActive},
		})
		if err == nil {
			put(c.objects, namespaces, assumed)
			n.assumedNamespaces = append(n.assumedNamespaces, name)
		}
	}
}

func sortedKeys[T any](all map[key]T) []key {
	return slices.SortedFunc(maps.Keys(all), func(x, y key) int {
		return strings.Compare(x.namespace+"\x00"+x.name, y.namespace+"\x00"+y.name)
	})
}
