package requestpath

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/admission"

	"github.com/extant-project/extant/internal/requestpath/builtin"
)

// settle adds to an object of a built-in kind what the API server adds to it
// for sure before a phase of admission, and notes what it may supply or change.
func (r *request) settle(p phase, kind schema.GroupVersionKind, c contents, old *document) contents {
	if r.subresource == "scale" && p == validatingPhase {
		return r.scaleAnew(c)
	}
	changes := r.within(kind).Changes(c.fields, p.builtin())
	settled, left := changes.Settle(c.fields)
	fresh := doubtOf(left)
	if p == validatingPhase && r.operation == admission.Update && old.known() {
		settled, fresh, c.doubt = kept(settled, old.contents().fields, fresh, c.doubt)
	}
	return r.settleLabels(contents{settled, c.doubt.or(fresh)}, changes)
}

// within is the request as it decides what becomes of objects of a built-in kind.
func (r *request) within(kind schema.GroupVersionKind) builtin.Request {
	return builtin.Request{Resource: r.resource.GroupResource(), Subresource: r.subresource, Operation: r.operation, Kind: kind}
}

// settleLabels narrows the doubt about labels to those that may come, and to
// nothing where it is known which.
func (r *request) settleLabels(c contents, changes *builtin.Node) contents {
	all := c.doubt.field("metadata").field("labels")
	if all.none() || all.changes {
		return c
	}
	node := changes.Field("metadata").Field("labels")
	if node == nil || len(node.Fields) == 0 {
		return c // nobody says which may come: they may be those of a template
	}
	narrow := *all
	narrow.fields = map[string]*doubt{}
	for key := range node.Fields {
		narrow.fields[key] = &doubt{appears: true, changes: true, because: all.because}
	}
	if r.isNamespace() {
		delete(narrow.fields, corev1.LabelMetadataName)
	}
	if added, known := r.topologyLabels(c.fields); known {
		for _, key := range []string{corev1.LabelTopologyZone, corev1.LabelTopologyRegion} {
			delete(narrow.fields, key)
		}
		c.fields = withLabels(c.fields, added)
	}
	if len(narrow.fields) == 0 {
		narrow = doubt{}
	}
	// The doubts of an object are its own from here on.
	whole, metadata := *c.doubt, *c.doubt.field("metadata")
	whole.fields, metadata.fields = maps.Clone(whole.fields), maps.Clone(metadata.fields)
	metadata.fields["labels"] = &narrow
	whole.fields["metadata"] = &metadata
	c.doubt = &whole
	return c
}

// topologyLabels are the labels of its node that a pod gets when it is bound
// (KEP-4742). They are known where the node is.
func (r *request) topologyLabels(content map[string]any) (map[string]string, bool) {
	path := []string{"target", "name"}
	if r.resource.Resource == "pods" && r.subresource == "" {
		path = []string{"spec", "nodeName"}
	}
	name, _, _ := unstructured.NestedString(content, path...)
	if _, gap := r.snapshot.DecidingGap(schema.GroupResource{Resource: "nodes"}); gap {
		return nil, false
	}
	added := map[string]string{}
	if node, ok := r.snapshot.Nodes().Get("", name); ok {
		for _, key := range []string{corev1.LabelTopologyZone, corev1.LabelTopologyRegion} {
			if value, ok := node.Labels[key]; ok {
				added[key] = value
			}
		}
	}
	return added, true
}

func withLabels(content map[string]any, added map[string]string) map[string]any {
	if len(added) == 0 {
		return content
	}
	content = runtime.DeepCopyJSON(content)
	for key, value := range added {
		// The metadata of a decoded object is an object, and its labels are texts.
		_ = unstructured.SetNestedField(content, value, "metadata", "labels", key)
	}
	return content
}

// scaleAnew is what the registry makes of a scale: a new one of the resource,
// without labels, with the replicas that were asked for.
func (r *request) scaleAnew(c contents) contents {
	metadata := map[string]any{"name": r.name, "namespace": r.namespace}
	anew := contents{map[string]any{"apiVersion": c.fields["apiVersion"], "kind": c.fields["kind"], "metadata": metadata}, &doubt{}}
	if spec, ok := c.fields["spec"]; ok {
		anew.fields["spec"] = spec
	}
	for _, name := range []string{"uid", "resourceVersion", "creationTimestamp"} {
		anew.doubt.unsure("it is that of the resource", "metadata", name)
	}
	anew.doubt.unsure("it is that of the resource", "status")
	return anew
}

// stored are the rules by which an update keeps what is stored.
var stored = sets.New("status", "specification", "metadata")

// kept takes from the stored object what an update keeps of it, and drops the
// doubts about it: fresh ones, and those from before.
func kept(content, old map[string]any, fresh, before *doubt) (map[string]any, *doubt, *doubt) {
	if fresh == nil {
		return content, nil, before
	}
	content = maps.Clone(content)
	left := *fresh
	left.fields = make(map[string]*doubt, len(fresh.fields))
	earlier := doubt{}
	if before != nil {
		earlier = *before
		earlier.fields = maps.Clone(before.fields)
	}
	for name, field := range fresh.fields {
		switch {
		case field != nil && stored.Has(field.because) && field.changes:
			if value, there := old[name]; there {
				content[name] = value
			} else {
				delete(content, name)
			}
			delete(earlier.fields, name)
			continue
		case field != nil && name == "metadata" && !field.changes:
			within, ok := content[name].(map[string]any)
			stored, _ := old[name].(map[string]any)
			if ok {
				var inner *doubt
				content[name], field, inner = kept(within, stored, field, earlier.field(name))
				if earlier.fields != nil {
					earlier.fields[name] = inner
				}
			}
		}
		left.fields[name] = field
	}
	return content, &left, &earlier
}

// doubtOf returns what is left in doubt of an object of a built-in kind.
func doubtOf(n *builtin.Node) *doubt {
	if n == nil {
		return nil
	}
	d := &doubt{appears: n.Appears, changes: n.Changes, because: n.Because, items: doubtOf(n.Items)}
	if d.because == "" {
		d.because = "the API server's defaults may supply it"
	}
	if len(n.Fields) > 0 {
		d.fields = make(map[string]*doubt, len(n.Fields))
		for name, field := range n.Fields {
			d.fields[name] = doubtOf(field)
		}
	}
	return d
}

// doubts are the parts of a custom resource's metadata that the API server may
// supply or change before a phase of admission.
func (r *request) doubts(p phase) *doubt {
	d := &doubt{}
	d.unsure("the API server keeps it", "metadata", "managedFields")
	if p != validatingPhase {
		return d
	}
	switch r.operation {
	case admission.Create:
		for _, name := range []string{"uid", "creationTimestamp"} {
			d.unsure("the API server sets it", "metadata", name)
		}
		if r.generated {
			d = d.or(madeUpName())
		}
	case admission.Update:
		for _, name := range []string{"uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion"} {
			d.unsure("it is kept as it is stored", "metadata", name)
		}
	}
	return d
}
