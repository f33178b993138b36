package cluster

import (
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// NewestVersion is the newest Kubernetes version that Extant knows.
const NewestVersion = "v1.37.2"

// Metadata is what is kept of objects that are only counted and grouped.
type Metadata = metav1.PartialObjectMetadata

// Resource is one observed resource. A further one costs a row in Resources
// and an accessor in accessors.go.
type Resource struct {
	schema.GroupVersionResource
	// Kind is the kind of its objects.
	Kind string
	// Namespaced is false for cluster-scoped resources.
	Namespaced bool
	// OlderVersions are read, in this order, where the cluster does not serve
	// Version. Their fields are spelled the same.
	OlderVersions []string
	// MetadataOnly resources are counted and grouped; nothing else is read.
	MetadataOnly bool
	// New returns an empty object to decode into.
	New func() runtime.Object
	// Keep defaults an object as the API server would, drops what no engine
	// reads, and returns what a table holds. It may change and retain the
	// object.
	Keep func(runtime.Object) (Object, error)
}

// Resources is every resource that Extant observes by itself. RBAC is generated
// from it.
var Resources = []Resource{
	observed("", "v1", "namespaces", "Namespace", clusterScoped, defaultNamespace),
	observed("", "v1", "nodes", "Node", clusterScoped, keepNode),
	pods,
	observed("", "v1", "services", "Service", namespaced, defaultService),
	observed("", "v1", "serviceaccounts", "ServiceAccount", namespaced, keepServiceAccount),
	observed("", "v1", "persistentvolumes", "PersistentVolume", clusterScoped, keepPersistentVolume),
	observed("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", namespaced, keepPersistentVolumeClaim),
	observed("", "v1", "resourcequotas", "ResourceQuota", namespaced, func(*corev1.ResourceQuota) {}),
	counted("", "v1", "limitranges", "LimitRange", namespaced),
	observed("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", namespaced, keepEndpointSlice),
	observed("coordination.k8s.io", "v1", "leases", "Lease", namespaced, keepLease),
	observed("apps", "v1", "deployments", "Deployment", namespaced, defaultDeployment),
	observed("apps", "v1", "replicasets", "ReplicaSet", namespaced, keepReplicaSet),
	observed("apps", "v1", "statefulsets", "StatefulSet", namespaced, defaultStatefulSet),
	observed("apps", "v1", "daemonsets", "DaemonSet", namespaced, func(*appsv1.DaemonSet) {}),
	observed("batch", "v1", "jobs", "Job", namespaced, keepJob),
	observed("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", namespaced, keepPodDisruptionBudget),
	observed("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", clusterScoped, defaultMutatingWebhooks),
	observed("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", clusterScoped, defaultValidatingWebhooks),
	observed("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", clusterScoped, defaultValidatingPolicy).orElse("v1beta1", "v1alpha1"),
	observed("admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", clusterScoped, defaultValidatingBinding).orElse("v1beta1", "v1alpha1"),
	observed("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy", clusterScoped, defaultMutatingPolicy).orElse("v1beta1", "v1alpha1"),
	observed("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", clusterScoped, defaultMutatingBinding).orElse("v1beta1", "v1alpha1"),
	observed("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", clusterScoped, keepCustomResourceDefinition),
	observed("apiregistration.k8s.io", "v1", "apiservices", "APIService", clusterScoped, defaultAPIService),
	observed("storage.k8s.io", "v1", "csidrivers", "CSIDriver", clusterScoped, func(*storagev1.CSIDriver) {}),
	observed("storage.k8s.io", "v1", "csinodes", "CSINode", clusterScoped, func(*storagev1.CSINode) {}),
	observed("storage.k8s.io", "v1", "storageclasses", "StorageClass", clusterScoped, keepStorageClass),
	observed("storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", clusterScoped, keepVolumeAttachment),
	observed("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", clusterScoped, func(*nodev1.RuntimeClass) {}),
	observed("resource.k8s.io", "v1", "deviceclasses", "DeviceClass", clusterScoped, func(*resourcev1.DeviceClass) {}).orElse("v1beta2", "v1beta1"),
	observed("resource.k8s.io", "v1", "resourceslices", "ResourceSlice", clusterScoped, keepResourceSlice).orElse("v1beta2", "v1beta1"),
	observed("networking.k8s.io", "v1", "ingressclasses", "IngressClass", clusterScoped, func(*networkingv1.IngressClass) {}),
	gatewayClasses,
	observed("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", clusterScoped, func(*schedulingv1.PriorityClass) {}),
	observed("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", clusterScoped, func(*rbacv1.ClusterRole) {}),
	observed("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", clusterScoped, func(*rbacv1.ClusterRoleBinding) {}),
	observed("rbac.authorization.k8s.io", "v1", "roles", "Role", namespaced, func(*rbacv1.Role) {}),
	observed("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", namespaced, func(*rbacv1.RoleBinding) {}),
	counted("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", namespaced),
	counted("flowcontrol.apiserver.k8s.io", "v1", "flowschemas", "FlowSchema", clusterScoped).orElse("v1beta3"),
	counted("flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations", "PriorityLevelConfiguration", clusterScoped).orElse("v1beta3"),
}

const (
	namespaced    = true
	clusterScoped = false
)

var resourcesByName = func() map[schema.GroupResource]*Resource {
	byName := make(map[schema.GroupResource]*Resource, len(Resources))
	for i := range Resources {
		byName[Resources[i].GroupResource()] = &Resources[i]
	}
	return byName
}()

// Lookup returns the row of an observed resource.
func Lookup(resource schema.GroupResource) (*Resource, bool) {
	r, ok := resourcesByName[resource]
	return r, ok
}

// NamedResource is the row of a resource that users named for observation. Its
// version and kind come from discovery.
func NamedResource(resource APIResource) Resource {
	return counted(resource.Group, resource.Version, resource.Resource, resource.Kind.Kind, resource.Namespaced)
}

// pods are kept in a type of their own: see Pod.
var pods = Resource{
	GroupVersionResource: corev1.SchemeGroupVersion.WithResource("pods"),
	Kind:                 "Pod",
	Namespaced:           namespaced,
	New:                  func() runtime.Object { return &corev1.Pod{} },
	Keep: func(object runtime.Object) (Object, error) {
		switch pod := object.(type) {
		case *Pod:
			return pod, nil
		case *corev1.Pod:
			return PodOf(pod), nil
		default:
			return nil, fmt.Errorf("expected a Pod, got %T", object)
		}
	},
}

// gatewayClasses come from a project with types of its own.
var gatewayClasses = Resource{
	GroupVersionResource: schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "gatewayclasses"},
	Kind:                 "GatewayClass",
	Namespaced:           clusterScoped,
	OlderVersions:        []string{"v1beta1"},
	New:                  func() runtime.Object { return &unstructured.Unstructured{} },
	Keep: func(object runtime.Object) (Object, error) {
		class, ok := object.(*unstructured.Unstructured)
		if !ok {
			return nil, fmt.Errorf("expected a GatewayClass, got %T", object)
		}
		keepMetadata(class)
		return class, nil
	},
}

// typed is what an API type offers by its embedded metadata.
type typed[T any] interface {
	*T
	metav1.Object
	runtime.Object
}

// observed makes the row of a resource whose objects are read in their own
// type.
func observed[T any, P typed[T]](group, version, resource, kind string, namespaced bool, keep func(P)) Resource {
	return Resource{
		GroupVersionResource: schema.GroupVersionResource{Group: group, Version: version, Resource: resource},
		Kind:                 kind,
		Namespaced:           namespaced,
		New:                  func() runtime.Object { return P(new(T)) },
		Keep: func(object runtime.Object) (Object, error) {
			o, ok := object.(P)
			if !ok {
				// An older version, whose fields are spelled the same.
				data, err := json.Marshal(object)
				if err != nil {
					return nil, err
				}
				o = new(T)
				if err := json.Unmarshal(data, o); err != nil {
					return nil, err
				}
			}
			// A client's lists have no kind in their items; other sources do.
			o.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
			keepMetadata(o)
			keep(o)
			return o, nil
		},
	}
}

// counted makes the row of a resource that is read metadata-only.
func counted(group, version, resource, kind string, namespaced bool) Resource {
	r := observed(group, version, resource, kind, namespaced, func(*Metadata) {})
	r.MetadataOnly = true
	return r
}

func (r Resource) orElse(versions ...string) Resource {
	r.OlderVersions = versions
	return r
}
