package requestpath

import (
	"errors"
	"fmt"
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission/plugin/policy/generic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"github.com/extant-project/extant/internal/cluster"
)

// params are the objects that parametrise a binding for a request.
type params struct {
	resource cluster.APIResource
	// list is one nil for a policy or binding without params, and empty where
	// none were found and that is no error.
	list []*param
	// unknown says why the params are not known; failed why they cannot be had,
	// which refuses the request. missing: because there are none.
	unknown string
	failed  error
	missing bool
	// unseen says why the API server may not see any of the list; without is
	// what there is then.
	unseen  string
	without *params
}

// param is a param as expressions see it.
type param struct {
	content *unstructured.Unstructured
}

// ToUnstructured returns the whole object: the library asks for it.
func (p *param) ToUnstructured() any { return p.content.Object }

// GetObjectKind returns the kind.
func (p *param) GetObjectKind() schema.ObjectKind { return p.content.GetObjectKind() }

// DeepCopyObject returns the param itself: it is immutable.
func (p *param) DeepCopyObject() runtime.Object { return p }

// MarshalJSON is there because converters are asked for it; nobody calls it.
func (p *param) MarshalJSON() ([]byte, error) { return nil, errors.New("a param has no JSON form") }

// UnmarshalJSON is there because converters are asked for it; nobody calls it.
func (p *param) UnmarshalJSON([]byte) error { return errors.New("a param has no JSON form") }

// paramResource finds the resource of a policy's paramKind.
func paramResource(snapshot *cluster.Snapshot, kind *admissionregistrationv1.ParamKind) (cluster.APIResource, bool) {
	gv, err := schema.ParseGroupVersion(kind.APIVersion)
	if err != nil {
		return cluster.APIResource{}, false
	}
	preferred, ok := snapshot.Discovery.ResourceOf(gv.WithKind(kind.Kind).GroupKind())
	if !ok {
		return cluster.APIResource{}, false
	}
	for served := range snapshot.Discovery.Of(schema.GroupResource{Group: preferred.Group, Resource: preferred.Resource}) {
		if served.Subresource == "" && served.Kind == gv.WithKind(kind.Kind) {
			return served, true
		}
	}
	return cluster.APIResource{}, false
}

// collectParams collects the params of a binding. What was read is handed to
// the library, which decides.
func (t *tracer) collectParams(resource cluster.APIResource, kind *admissionregistrationv1.ParamKind, ref *admissionregistrationv1.ParamRef) params {
	if kind == nil || ref == nil {
		return params{list: []*param{nil}}
	}
	var scope meta.RESTScope = meta.RESTScopeRoot
	if resource.Namespaced {
		scope = meta.RESTScopeNamespace
	}
	read := t.readParams(resource, ref)
	if read.err != nil {
		return params{resource: resource, unknown: fmt.Sprintf("the params of kind %s cannot be read: %v", kind.Kind, read.err)}
	}
	p := t.decideParams(resource, kind, ref, scope, read)
	if ref.Selector != nil && len(p.list) > 0 && scheme().Recognizes(resource.Kind) {
		without := t.decideParams(resource, kind, ref, scope, paramsRead{})
		p.unseen, p.without = stoppedWatching, &without
	}
	return p
}

// stoppedWatching: a kube-apiserver shares one watch of a built-in kind among
// all policies with that paramKind, ends it when the last of them is deleted,
// and never begins it again until it is restarted. It then finds params by name
// still, because those are looked up in the cluster where the cache lacks them,
// and by selector no more (k8s.io/apiserver, admission/plugin/policy/generic:
// policySource.ensureParamsForPolicyLocked; seen in 1.37.2).
const stoppedWatching = "a kube-apiserver that once had a policy with this paramKind, and lost the last one, finds no params by selector until it is restarted; whether that happened does not show"

// decideParams hands the library what was read.
func (t *tracer) decideParams(resource cluster.APIResource, kind *admissionregistrationv1.ParamKind, ref *admissionregistrationv1.ParamRef, scope meta.RESTScope, read paramsRead) params {
	found, err := generic.CollectParams(kind, paramInformer{read: read}, scope, ref, t.request.namespace, nil, nil)
	p := params{resource: resource, failed: err}
	if err != nil {
		p.missing = len(read.list) == 0 && ref.ParameterNotFoundAction != nil && *ref.ParameterNotFoundAction == admissionregistrationv1.DenyAction && !read.refused
	}
	for _, one := range found {
		p.list = append(p.list, one.(*param))
	}
	return p
}

// paramsRead is what was read of the params that a binding refers to.
type paramsRead struct {
	list []*param
	err  error
	// refused: the reference makes no sense for the request, and nothing was read.
	refused bool
}

func (t *tracer) readParams(resource cluster.APIResource, ref *admissionregistrationv1.ParamRef) paramsRead {
	namespace := ""
	if resource.Namespaced {
		if namespace = ref.Namespace; namespace == "" {
			namespace = t.request.namespace
		}
		if namespace == "" {
			return paramsRead{refused: true}
		}
	} else if ref.Namespace != "" {
		return paramsRead{refused: true}
	}
	if t.observed.Params == nil {
		return paramsRead{err: errors.New("nothing to read them from")}
	}
	gvr := schema.GroupVersionResource{Group: resource.Group, Version: resource.Version, Resource: resource.Resource}
	if ref.Name != "" {
		found, err := t.observed.Params.Get(t.ctx, gvr, namespace, ref.Name)
		if err != nil || found == nil {
			return paramsRead{err: err}
		}
		return paramsRead{list: []*param{{withKind(found, resource.Kind)}}}
	}
	selector, err := metav1.LabelSelectorAsSelector(ref.Selector)
	if err != nil {
		return paramsRead{refused: true}
	}
	found, err := t.observed.Params.List(t.ctx, gvr, namespace, selector)
	read := paramsRead{err: err}
	for _, one := range found {
		read.list = append(read.list, &param{withKind(one, resource.Kind)})
	}
	slices.SortFunc(read.list, func(x, y *param) int { return compareParams(x.content, y.content) })
	return read
}

func compareParams(x, y *unstructured.Unstructured) int {
	if x.GetNamespace()+"/"+x.GetName() < y.GetNamespace()+"/"+y.GetName() {
		return -1
	}
	return 1
}

// withKind returns a param with its kind: lists have none in their items.
func withKind(object *unstructured.Unstructured, kind schema.GroupVersionKind) *unstructured.Unstructured {
	if object.GroupVersionKind() == kind {
		return object
	}
	object = object.DeepCopy()
	object.SetGroupVersionKind(kind)
	return object
}

// mayShow tells whether who asks may see what a policy says of its params.
func (t *tracer) mayShow(p params) bool {
	if t.observed.MayReadParam == nil {
		return true
	}
	gvr := schema.GroupVersionResource{Group: p.resource.Group, Version: p.resource.Version, Resource: p.resource.Resource}
	for _, one := range p.list {
		if one != nil && !t.observed.MayReadParam(t.ctx, gvr, one.content.GetNamespace(), one.content.GetName()) {
			return false
		}
	}
	return true
}

// paramInformer hands the library the params that were read, in the shape of
// an informer that is synced and never started.
type paramInformer struct {
	informers.GenericInformer
	read paramsRead
}

func (i paramInformer) Informer() cache.SharedIndexInformer { return syncedInformer{} }

func (i paramInformer) Lister() cache.GenericLister { return paramLister{read: i.read} }

type syncedInformer struct{ cache.SharedIndexInformer }

func (syncedInformer) HasSynced() bool { return true }

// paramLister lists the params that were read: they are those of the right
// namespace already, and selected already.
type paramLister struct{ read paramsRead }

func (l paramLister) List(labels.Selector) ([]runtime.Object, error) {
	list := make([]runtime.Object, len(l.read.list))
	for i, one := range l.read.list {
		list[i] = one
	}
	return list, nil
}

func (l paramLister) Get(name string) (runtime.Object, error) {
	for _, one := range l.read.list {
		if one.content.GetName() == name {
			return one, nil
		}
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{}, name)
}

func (l paramLister) ByNamespace(string) cache.GenericNamespaceLister { return l }
