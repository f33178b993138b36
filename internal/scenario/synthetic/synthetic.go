// Package synthetic generates large clusters for benchmarks: real-size objects,
// managed fields and schemas included, that hang together as those of a cluster
// do. The same Size yields the same objects in the same order, one at a time.
// It knows nothing of how they are observed or read.
package synthetic

import (
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Size is how much of everything a cluster has.
type Size struct {
	Nodes, Namespaces int
	// Deployments have PodsPerDeployment pods, every second one has one more,
	// and every second one an earlier ReplicaSet. The first Services of them
	// have a Service with an EndpointSlice.
	Deployments, PodsPerDeployment, Services int
	// DaemonSets have a pod on each node.
	DaemonSets int
	// Volumes are claimed and attached, Jobs are finished but for every tenth,
	// and every second Deployment has a PodDisruptionBudget.
	Volumes, Jobs int
	// Definitions are CRDs, whose schemas have about SchemaBytes each, in
	// groups of ten.
	Definitions, SchemaBytes int
	// Configurations of webhooks, every second one mutating, have HooksEach.
	Configurations, HooksEach int
}

// Large is as large as a cluster can be expected to get: 5,000 nodes, 150,000
// pods, 10,000 namespaces, 2,000 CRDs and 400 hooks.
var Large = Size{
	Nodes: 5_000, Namespaces: 10_000,
	Deployments: 20_000, PodsPerDeployment: 6, Services: 15_000, DaemonSets: 4,
	Volumes: 20_000, Jobs: 20_000,
	Definitions: 2_000, SchemaBytes: 20_000,
	Configurations: 100, HooksEach: 4,
}

// Small has some of everything, for tests.
var Small = Size{
	Nodes: 5, Namespaces: 10,
	Deployments: 20, PodsPerDeployment: 2, Services: 15, DaemonSets: 1,
	Volumes: 20, Jobs: 20,
	Definitions: 20, SchemaBytes: 2_000,
	Configurations: 4, HooksEach: 2,
}

// generators has a generator for each resource that a cluster has objects of.
var generators = map[schema.GroupResource]func(Size) iter.Seq[runtime.Object]{
	{Resource: "namespaces"}:                                                         Size.namespaces,
	{Resource: "nodes"}:                                                              Size.nodes,
	{Resource: "pods"}:                                                               Size.pods,
	{Resource: "services"}:                                                           Size.services,
	{Resource: "serviceaccounts"}:                                                    Size.serviceAccounts,
	{Resource: "resourcequotas"}:                                                     Size.resourceQuotas,
	{Resource: "persistentvolumes"}:                                                  Size.volumes,
	{Resource: "persistentvolumeclaims"}:                                             Size.claims,
	{Group: "storage.k8s.io", Resource: "volumeattachments"}:                         Size.attachments,
	{Group: "batch", Resource: "jobs"}:                                               Size.jobs,
	{Group: "policy", Resource: "poddisruptionbudgets"}:                              Size.disruptionBudgets,
	{Group: "discovery.k8s.io", Resource: "endpointslices"}:                          Size.endpointSlices,
	{Group: "coordination.k8s.io", Resource: "leases"}:                               Size.leases,
	{Group: "apps", Resource: "deployments"}:                                         Size.deployments,
	{Group: "apps", Resource: "replicasets"}:                                         Size.replicaSets,
	{Group: "apps", Resource: "daemonsets"}:                                          Size.daemonSets,
	{Group: "storage.k8s.io", Resource: "csinodes"}:                                  Size.csiNodes,
	{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}:           Size.definitions,
	{Group: "apiregistration.k8s.io", Resource: "apiservices"}:                       Size.apiServices,
	{Group: "rbac.authorization.k8s.io", Resource: "clusterroles"}:                   Size.clusterRoles,
	{Group: "rbac.authorization.k8s.io", Resource: "rolebindings"}:                   Size.roleBindings,
	{Group: "admissionregistration.k8s.io", Resource: mutatingResource}:              Size.mutatingConfigurations,
	{Group: "admissionregistration.k8s.io", Resource: validatingResource}:            Size.validatingConfigurations,
	{Group: "networking.k8s.io", Resource: "networkpolicies"}:                        Size.networkPolicies,
	{Group: "admissionregistration.k8s.io", Resource: "validatingadmissionpolicies"}: Size.policies,
}

// Resources are the resources that a cluster has objects of, in order.
func Resources() []schema.GroupResource {
	var resources []schema.GroupResource
	for resource := range generators {
		resources = append(resources, resource)
	}
	slices.SortFunc(resources, func(x, y schema.GroupResource) int { return strings.Compare(x.String(), y.String()) })
	return resources
}

// Objects yields the objects of a resource in the types of its v1. Each is new
// and the caller's own.
func (s Size) Objects(resource schema.GroupResource) iter.Seq[runtime.Object] {
	if generate, ok := generators[resource]; ok {
		return generate(s)
	}
	return func(func(runtime.Object) bool) {}
}

// generate yields n objects.
func generate[T runtime.Object](n int, make func(i int) T) iter.Seq[runtime.Object] {
	return func(yield func(runtime.Object) bool) {
		for i := range n {
			if !yield(make(i)) {
				return
			}
		}
	}
}

// created is when everything was.
var created = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// metadata returns the metadata of an object that some manager has written.
func metadata(namespace, name string, labels, annotations map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: uid(namespace, name), Generation: 1,
		CreationTimestamp: metav1.NewTime(created), Labels: labels, Annotations: annotations,
		ManagedFields: []metav1.ManagedFieldsEntry{
			managed("helm", "", labels, annotations), managed("kube-controller-manager", "status", labels, annotations),
		},
	}
}

// managed returns an entry as large as real ones are.
func managed(manager, subresource string, labels, annotations map[string]string) metav1.ManagedFieldsEntry {
	var fields strings.Builder
	fields.WriteString(`{"f:metadata":{"f:labels":{".":{}`)
	for _, set := range []map[string]string{labels, annotations} {
		for _, key := range slices.Sorted(maps.Keys(set)) {
			fmt.Fprintf(&fields, `,"f:%s":{}`, key)
		}
	}
	fields.WriteString(`}},"f:spec":{"f:progressDeadlineSeconds":{},"f:replicas":{},"f:revisionHistoryLimit":{},"f:selector":{},` +
		`"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:resources":{},` +
		`"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:restartPolicy":{},"f:schedulerName":{}}}}}`)
	at := metav1.NewTime(created)
	fieldsV1 := &metav1.FieldsV1{}
	fieldsV1.SetRawBytes([]byte(fields.String()))
	return metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "v1", Time: &at,
		FieldsType: "FieldsV1", FieldsV1: fieldsV1, Subresource: subresource,
	}
}

// uid is a stable identifier in the form of a UUID.
func uid(parts ...string) types.UID {
	hash := fnv.New128a()
	for _, part := range parts {
		hash.Write([]byte(part))
		hash.Write([]byte{0})
	}
	sum := hash.Sum(nil)
	return types.UID(fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:]))
}

// suffix is the random end of a generated name, not random.
func suffix(name string, length int) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	hash := fnv.New64a()
	hash.Write([]byte(name))
	var b strings.Builder
	for sum := hash.Sum64(); b.Len() < length; sum /= uint64(len(alphabet)) {
		b.WriteByte(alphabet[sum%uint64(len(alphabet))])
	}
	return b.String()
}

func controlledBy(apiVersion, kind, namespace, name string) []metav1.OwnerReference {
	return []metav1.OwnerReference{{
		APIVersion: apiVersion, Kind: kind, Name: name, UID: uid(namespace, name), Controller: new(true), BlockOwnerDeletion: new(true),
	}}
}
