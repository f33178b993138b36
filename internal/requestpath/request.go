package requestpath

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath/customresource"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// InvalidError is a mistake of who asks, which only the observed cluster
// reveals: a resource that it does not serve, an object of another kind.
type InvalidError struct {
	// Errors name the fields.
	Errors field.ErrorList
}

// Error says what is wrong.
func (e *InvalidError) Error() string { return e.Errors.ToAggregate().Error() }

func invalid(errs ...*field.Error) error { return &InvalidError{Errors: errs} }

var requestPath = field.NewPath("spec", "request")

// request is a reviewed request as the API server understands it.
type request struct {
	spec     *extant.ReviewedRequest
	snapshot *cluster.Snapshot

	resource    schema.GroupVersionResource
	subresource string
	// kind is that of what is sent: of a subresource its own.
	kind       schema.GroupVersionKind
	namespaced bool
	// namespace and name are what admission sees.
	namespace, name string
	// generated: the API server makes up the name, after the mutating phase.
	generated bool
	operation admission.Operation
	// user is nil where nobody knows whose request it is.
	user    user.Info
	options runtime.Object
	// aggregated names the APIService that serves the resource from elsewhere.
	aggregated string
	// unseen says why it is not known who serves the group, and in which versions
	// its objects can be had: what would tell cannot be seen. Empty where it is
	// known.
	unseenServer, unseenVersions string
	// definition is that of a custom resource, else nil.
	definition *apiextensionsv1.CustomResourceDefinition
	schemas    *customresource.Schemas

	object, old *document
	equivalents *equivalents
	// objectNamespace is the namespace of the object: see namespaceState.
	objectNamespace namespaceState
}

// namespaceState is what is known of the namespace of a request.
type namespaceState struct {
	// namespace is nil where there is none, or none that is known.
	namespace *corev1.Namespace
	// missing: the cluster has no such namespace.
	missing bool
	// because says why it is not known; empty where it is, or none is needed.
	because string
}

// newRequest resolves a request against what the observed cluster serves.
func newRequest(snapshot *cluster.Snapshot, schemas *customresource.Schemas, spec *extant.RequestReviewSpec) (*request, error) {
	r := &request{
		spec: &spec.Request, snapshot: snapshot, schemas: schemas,
		resource:    schema.GroupVersionResource{Group: spec.Request.Group, Version: spec.Request.Version, Resource: spec.Request.Resource},
		subresource: spec.Request.Subresource,
		namespace:   spec.Request.Namespace, name: spec.Request.Name,
		operation: admission.Operation(spec.Request.Operation),
	}
	if spec.User != nil {
		r.user = rbac.UserOf(spec.User)
	}
	if err := r.resolve(); err != nil {
		return nil, err
	}
	if err := r.read(); err != nil {
		return nil, err
	}
	r.equivalents = equivalentsOf(snapshot, r.resource.GroupResource(), r.subresource)
	r.settleNamespace()
	return r, nil
}

// resolve finds the kind and scope of what is requested.
func (r *request) resolve() error {
	r.aggregated = aggregatedBy(r.snapshot, r.resource.GroupVersion())
	if definition, ok := r.snapshot.CustomResourceDefinitions().Get("", r.resource.GroupResource().String()); ok {
		r.definition = definition
	}
	if r.definition == nil && r.aggregated == "" && !scheme().IsGroupRegistered(r.resource.Group) {
		r.unseenServer = unseen(r.snapshot, apiServices)
		r.unseenVersions = unseen(r.snapshot, customResourceDefinitions)
	}
	served, ok := r.served()
	switch {
	case ok:
		r.kind, r.namespaced = served.Kind, served.Namespaced
	case r.aggregated != "":
		// Discovery may leave out what an APIService serves, the more so when it
		// is down.
		r.kind, r.namespaced = r.resource.GroupVersion().WithKind(""), r.namespace != ""
	default:
		return r.notServed()
	}
	switch {
	case r.namespaced && r.namespace == "" && r.spec.Operation != extant.OperationList && r.spec.Operation != extant.OperationWatch:
		return invalid(field.Required(requestPath.Child("namespace"), fmt.Sprintf("%s are in namespaces", r.resource.Resource)))
	case !r.namespaced && r.namespace != "":
		return invalid(field.Invalid(requestPath.Child("namespace"), r.namespace, fmt.Sprintf("%s are not in namespaces", r.resource.Resource)))
	}
	return nil
}

var (
	apiServices               = schema.GroupResource{Group: "apiregistration.k8s.io", Resource: "apiservices"}
	customResourceDefinitions = schema.GroupResource{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}
)

// unseen says why a resource cannot be seen, or nothing.
func unseen(snapshot *cluster.Snapshot, resource schema.GroupResource) string {
	if gap, ok := snapshot.DecidingGap(resource); ok {
		return fmt.Sprintf("the %s of the cluster cannot be seen (%s)", resource.Resource, gap.Reason)
	}
	return ""
}

// served returns the resource as discovery names it. Versions of a CRD are
// those that it serves.
func (r *request) served() (cluster.APIResource, bool) {
	for served := range r.snapshot.Discovery.Of(r.resource.GroupResource()) {
		if served.Version == r.resource.Version && served.Subresource == r.subresource {
			return served, true
		}
	}
	return cluster.APIResource{}, false
}

func (r *request) notServed() error {
	name := r.resource.Resource
	if r.subresource != "" {
		name += "/" + r.subresource
	}
	versions := r.snapshot.Discovery.Versions(r.resource.GroupResource())
	if len(versions) == 0 {
		return invalid(field.Invalid(requestPath.Child("resource"), r.resource.Resource, fmt.Sprintf("the observed cluster serves no %s in the group %q", r.resource.Resource, r.resource.Group)))
	}
	for _, served := range versions {
		if served.Version == r.resource.Version {
			return invalid(field.Invalid(requestPath.Child("subresource"), r.subresource, fmt.Sprintf("the observed cluster serves no %s", name)))
		}
	}
	var names []string
	for _, served := range versions {
		names = append(names, served.Version)
	}
	return invalid(field.NotSupported(requestPath.Child("version"), r.resource.Version, names))
}

// read reads the objects and options of the request.
func (r *request) read() error {
	var err error
	if r.options, err = r.readOptions(); err != nil {
		return err
	}
	if r.operation == admission.Connect {
		r.object, err = r.readPlain()
		return err
	}
	const unsent = "the review does not say what the object is"
	if r.operation == admission.Create || r.operation == admission.Update {
		if r.object, err = r.readObject("object", r.spec.Object, unsent); err != nil {
			return err
		}
		if err = r.identify(); err != nil {
			return err
		}
	}
	if r.operation == admission.Update || r.operation == admission.Delete {
		r.old, err = r.readObject("oldObject", r.spec.OldObject, "the review does not say what is stored")
	}
	return err
}

// readPlain reads the options of a CONNECT, which are its object.
func (r *request) readPlain() (*document, error) {
	d, err := r.readObject("object", r.spec.Object, "the review does not say what the options are")
	if d != nil {
		d.plain = true
	}
	return d, err
}

func (r *request) named() string {
	if r.subresource == "" {
		return r.resource.Resource
	}
	return r.resource.Resource + "/" + r.subresource
}

// identify takes the name of the object where the request has none, and checks
// that both name the same.
func (r *request) identify() error {
	if sent := r.object.sent; sent != nil {
		path := requestPath.Child("object", "metadata")
		if namespace := sent.GetNamespace(); namespace != "" && namespace != r.namespace {
			return invalid(field.Invalid(path.Child("namespace"), namespace, "the namespace of the object is not that of the request"))
		}
		if name := sent.GetName(); name != "" && r.name != "" && name != r.name && r.subresource == "" {
			return invalid(field.Invalid(path.Child("name"), name, "the name of the object is not that of the request"))
		}
		if r.name == "" && r.operation == admission.Create {
			r.name = sent.GetName()
		}
		r.generated = r.name == "" && sent.GetGenerateName() != ""
	}
	if r.isNamespace() {
		r.namespace = r.name
	}
	return nil
}

// isNamespace tells whether the request is about a Namespace, which admission
// takes to be in itself.
func (r *request) isNamespace() bool {
	return r.resource.Group == "" && r.resource.Resource == "namespaces"
}

// settleNamespace finds the namespace whose labels decide.
func (r *request) settleNamespace() {
	if r.isNamespace() {
		r.namespace = r.name
	}
	if r.namespace == "" {
		return
	}
	if namespace, ok := r.snapshot.Namespaces().Get("", r.namespace); ok {
		r.objectNamespace.namespace = namespace
		return
	}
	resource := schema.GroupResource{Resource: "namespaces"}
	if gap, ok := r.snapshot.DecidingGap(resource); ok {
		r.objectNamespace.because = fmt.Sprintf("the namespaces of the cluster cannot be seen (%s)", gap.Reason)
		return
	}
	if r.snapshot.Namespaces().Len() == 0 {
		// Rendered manifests come without the namespaces that they go to.
		r.objectNamespace.namespace = assumedNamespace(r.namespace)
		return
	}
	r.objectNamespace.missing = true
}

// assumedNamespace is a namespace of which nobody said more than the name.
func assumedNamespace(name string) *corev1.Namespace {
	namespace := &corev1.Namespace{}
	namespace.Name = name
	namespace.Labels = map[string]string{corev1.LabelMetadataName: name}
	namespace.Status.Phase = corev1.NamespaceActive
	return namespace
}

// readOptions reads the options of the request, which are empty where none
// were set. Those of a dry run say that it is one.
func (r *request) readOptions() (runtime.Object, error) {
	options := optionsOf(r.operation, r.spec.DryRun)
	if options == nil {
		return nil, nil
	}
	if len(r.spec.Options.Raw) > 0 {
		if err := json.Unmarshal(r.spec.Options.Raw, options); err != nil {
			return nil, invalid(field.Invalid(requestPath.Child("options"), "", err.Error()))
		}
	}
	options.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{Group: "meta.k8s.io", Version: "v1", Kind: optionKinds[r.operation]})
	return options, nil
}
