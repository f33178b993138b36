package dump

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"github.com/extant-project/extant/internal/cluster"
)

const (
	// maxTroubles is how many troubles of a resource have a gap of their own:
	// gaps travel with every answer.
	maxTroubles = 10
	// maxNames is how many names a message lists.
	maxNames = 5
)

const (
	messageNone      = "the dump has none, and is taken as the whole cluster"
	messageUnrunning = "the dump has neither pods nor endpoint slices: workloads are taken to run as their specifications say"
)

// notes is what was assumed while a dump was read, and what was not
// understood.
type notes struct {
	troubles          map[string][]string
	unplaced, ignored []string
	assumedNamespaces []string
	undescribed       []string
	badVersion        string
	versionFile       bool
	assumedVersion    bool
	discovered        bool
	namespacesInDump  bool
}

func (n *notes) add(p *part) {
	for _, t := range p.troubles {
		if n.troubles == nil {
			n.troubles = map[string][]string{}
		}
		n.troubles[t.resource] = append(n.troubles[t.resource], t.message)
	}
	n.unplaced = append(n.unplaced, p.unplaced...)
	n.ignored = append(n.ignored, p.ignored...)
}

// gaps says everything that was noted.
func (n *notes) gaps(c *Contents) []cluster.Gap {
	var gaps []cluster.Gap
	for _, resource := range slices.Sorted(maps.Keys(n.troubles)) {
		all := n.troubles[resource]
		for _, message := range all[:min(len(all), maxTroubles)] {
			gaps = append(gaps, cluster.Gap{Resource: resource, Reason: cluster.GapMalformed, Message: message})
		}
		if more := len(all) - maxTroubles; more > 0 {
			gaps = append(gaps, cluster.Gap{Resource: resource, Reason: cluster.GapMalformed, Message: fmt.Sprintf("%d more could not be understood", more)})
		}
	}
	assumed := func(resource, format string, args ...any) {
		gaps = append(gaps, cluster.Gap{Resource: resource, Reason: cluster.GapAssumed, Message: fmt.Sprintf(format, args...)})
	}
	if n.badVersion != "" {
		assumed("version", "the version %q of the dump is none", n.badVersion)
	}
	if n.assumedVersion {
		assumed("version", "the dump does not say its version: it is taken to be %s, the newest that Extant knows", c.version)
	}
	if !n.discovered {
		assumed("discovery", "the dump has no discovery documents: the API is taken to be that of a plain kube-apiserver %s with the dump's CustomResourceDefinitions", c.version)
	}
	if len(n.undescribed) > 0 {
		assumed("discovery", "the dump does not say which resources are in %s", listing(n.undescribed))
	}
	if len(n.unplaced) > 0 {
		assumed(namespaces.String(), "objects without a namespace are taken to be in the namespace default: %s", listing(n.unplaced))
	}
	if len(n.assumedNamespaces) > 0 {
		assumed(namespaces.String(), "the dump lacks namespaces that objects are in; they are taken to exist, without labels of their own: %s", listing(n.assumedNamespaces))
	}
	if len(n.ignored) > 0 {
		assumed(dumpItself, "documents that are no objects of Kubernetes are passed over: %s", listing(n.ignored))
	}
	return append(gaps, n.missing(c)...)
}

// missing is the gaps of resources without objects. Those that could not be
// read are not missing.
func (n *notes) missing(c *Contents) []cluster.Gap {
	absent := func(resource schema.GroupResource) bool {
		if resource == namespaces {
			return !n.namespacesInDump && len(n.troubles[resource.String()]) == 0
		}
		return len(c.objects[resource]) == 0 && len(n.troubles[resource.String()]) == 0
	}
	pods := schema.GroupResource{Resource: "pods"}
	endpointSlices := schema.GroupResource{Group: "discovery.k8s.io", Resource: "endpointslices"}
	var gaps []cluster.Gap
	for i := range cluster.Resources {
		resource := cluster.Resources[i].GroupResource()
		if !absent(resource) {
			continue
		}
		message := messageNone
		if (resource == pods || resource == endpointSlices) && absent(pods) && absent(endpointSlices) {
			message = messageUnrunning
		}
		gaps = append(gaps, cluster.Gap{Resource: resource.String(), Reason: cluster.GapNotInDump, Message: message})
	}
	return gaps
}

// undescribed is the versions of aggregated APIs whose resources are unknown.
func (c *Contents) undescribed() []string {
	described := map[schema.GroupVersion]bool{}
	for _, r := range c.discovery.All() {
		described[schema.GroupVersion{Group: r.Group, Version: r.Version}] = true
	}
	var unknown []string
	for _, object := range c.objects[apiServices] {
		service := object.(*apiregistrationv1.APIService)
		gv := schema.GroupVersion{Group: service.Spec.Group, Version: service.Spec.Version}
		if service.Spec.Service != nil && !described[gv] {
			unknown = append(unknown, gv.String())
		}
	}
	slices.Sort(unknown)
	return unknown
}

// listing names the first of some things and counts the others.
func listing(names []string) string {
	shown := strings.Join(names[:min(len(names), maxNames)], ", ")
	if more := len(names) - maxNames; more > 0 {
		return fmt.Sprintf("%s and %d more", shown, more)
	}
	return shown
}
