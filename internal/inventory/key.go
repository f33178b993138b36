package inventory

import (
	"slices"
	"strings"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// What an object says about where it belongs. The first that it says counts,
// in the order of the ranks:
//
//   - an Extension's spec.components or spec.componentSelector names it;
//   - the Helm release that installed it, by its annotations;
//   - its OLM package, by its label or the ClusterServiceVersion that owns it;
//   - the labels app.kubernetes.io/part-of, instance and name, within one
//     namespace;
//   - and where it says nothing, the workload behind the Service that it
//     calls, the registrable domain of the group that it serves, and the
//     namespace of the Service that it calls.
//
// A label whose value is empty or names a role ("controller", "webhook") or a
// placeholder ("default", "release-name") says nothing: dozens of products
// carry it.
type rank uint8

const (
	rankDeclared rank = iota
	rankHelm
	rankOLM
	rankPartOf
	rankInstance
	rankName
	rankWorkload
	rankDomain
	rankNamespace
	// rankObject is not among the contract's: an interception by URL whose
	// object says nothing has no other name than the object's, and must not be
	// overlooked.
	rankObject
)

// key is one thing that an object says.
type key struct {
	rank rank
	// namespace is where the value holds: that of the Helm release, of the OLM
	// package, of the labelled object or of the workload. Empty for keys that
	// hold in the whole cluster.
	namespace string
	value     string
}

func (k key) label() bool { return k.rank >= rankPartOf && k.rank <= rankName }

func compareKeys(x, y key) int {
	if x.rank != y.rank {
		return int(x.rank) - int(y.rank)
	}
	if c := strings.Compare(nameOf(x.value), nameOf(y.value)); c != 0 {
		return c
	}
	return strings.Compare(x.namespace, y.namespace)
}

const (
	helmName      = "meta.helm.sh/release-name"
	helmNamespace = "meta.helm.sh/release-namespace"
	olmPrefix     = "operators.coreos.com/"
	olmOwnerSpace = "olm.owner.namespace"
	versionKind   = "ClusterServiceVersion"
	partOfLabel   = "app.kubernetes.io/part-of"
	instanceLabel = "app.kubernetes.io/instance"
	nameLabel     = "app.kubernetes.io/name"
)

// labelRanks is the grouping labels in their order.
var labelRanks = [...]struct {
	rank  rank
	label string
}{{rankPartOf, partOfLabel}, {rankInstance, instanceLabel}, {rankName, nameLabel}}

// meaningless are label values and workload names that many products share.
// The first are what charts and scaffolds put where nobody chose a name, the
// others are roles within a product.
var meaningless = map[string]bool{
	"default": true, "release-name": true, "system": true, "kubernetes": true, "k8s": true,
	"manager": true, "controller": true, "controller-manager": true, "controllers": true, "operator": true,
	"webhook": true, "webhooks": true, "webhook-server": true, "webhook-service": true, "admission": true,
	"admission-webhook": true, "admission-controller": true, "apiserver": true, "api-server": true,
	"server": true, "deployment": true, "service": true, "serving-cert": true, "crd": true, "crds": true,
}

func means(value string) bool {
	name := nameOf(value)
	return name != "" && !meaningless[name]
}

// keysOf returns what an object says, best first, and the declared Extension
// that names it, if one does.
func (t *taker) keysOf(ref extant.ObjectReference, object cluster.Object) (keys []key, claim string) {
	o, ok := object.(metadata)
	if !ok {
		if claim = t.claims.of(ref, labelsOf(object)); claim != "" {
			keys = []key{{rank: rankDeclared, value: claim}}
		}
		return keys, claim
	}
	labels, annotations := o.GetLabels(), o.GetAnnotations()
	if claim = t.claims.of(ref, labels); claim != "" {
		keys = append(keys, key{rank: rankDeclared, value: claim})
	}
	if k, ok := helmKey(ref.Namespace, annotations); ok {
		keys = append(keys, k)
	}
	if k, ok := olmKey(ref.Namespace, labels, o); ok {
		keys = append(keys, k)
	}
	for _, l := range labelRanks {
		if value := labels[l.label]; means(value) {
			keys = append(keys, key{l.rank, ref.Namespace, value})
		}
	}
	return slices.Clip(keys), claim
}

func helmKey(namespace string, annotations map[string]string) (key, bool) {
	release := annotations[helmName]
	if nameOf(release) == "" {
		return key{}, false
	}
	if of := annotations[helmNamespace]; of != "" {
		namespace = of
	}
	return key{rankHelm, namespace, release}, true
}

// olmKey reads the label operators.coreos.com/<package>.<namespace>. Of several
// the first in order counts. Without one, a ClusterServiceVersion that owns the
// object names the package, up to its version.
func olmKey(namespace string, labels map[string]string, o metadata) (key, bool) {
	found := ""
	for label := range labels {
		if rest, ok := strings.CutPrefix(label, olmPrefix); ok && (found == "" || rest < found) {
			found = rest
		}
	}
	// A package is a DNS label more often than not, but may have dots; a
	// namespace has none.
	if cut := strings.LastIndexByte(found, '.'); cut > 0 && nameOf(found[:cut]) != "" {
		return key{rankOLM, found[cut+1:], found[:cut]}, true
	}
	version := ""
	for _, owner := range o.GetOwnerReferences() {
		if owner.Kind == versionKind {
			version = owner.Name
		}
	}
	if version == "" && labels["olm.owner.kind"] == versionKind {
		version = labels["olm.owner"]
	}
	if version == "" {
		return key{}, false
	}
	if of := labels[olmOwnerSpace]; of != "" {
		namespace = of
	}
	name, _, _ := strings.Cut(version, ".v")
	return key{rankOLM, namespace, name}, nameOf(name) != ""
}
