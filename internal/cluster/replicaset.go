package cluster

import (
	"unique"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// compact is an object that is held in a smaller form. Tables hand out what it
// expands to: a new object each time, equal to the one that was compacted.
type compact interface {
	Object
	expand() Object
}

// as returns a held object as what a table hands out.
func as[T Object](held Object) T {
	if c, ok := held.(compact); ok {
		held = c.expand()
	}
	return held.(T)
}

var _ interface {
	compact
	runtime.Object
	metav1.ObjectMetaAccessor
} = (*ownedReplicaSet)(nil)

// ownedReplicaSet is a ReplicaSet whose Deployment has all that makes it large.
// There are more of these than of any other workload, most of them history,
// and the API type alone takes more than a kilobyte for the template that is
// not there.
type ownedReplicaSet struct {
	name                string
	uid, ownerUID       types.UID
	namespace           unique.Handle[string]
	owner               unique.Handle[Owner]
	labels, annotations Labels
	created             int64
	generation          int64
	replicas            int32
	status              replicaSetCounts
}

// replicaSetCounts is the status of a ReplicaSet without its conditions.
type replicaSetCounts struct {
	replicas, fullyLabeled, ready, available int32
	// terminating is negative where the cluster does not say.
	terminating        int32
	observedGeneration int64
}

// compactReplicaSet returns the smaller form of a ReplicaSet, if it has one
// from which everything comes back.
func compactReplicaSet(set *appsv1.ReplicaSet) (*ownedReplicaSet, bool) {
	owner := metav1.GetControllerOfNoCopy(set)
	if owner == nil || owner.Kind != "Deployment" || set.Spec.Replicas == nil || set.CreationTimestamp.IsZero() {
		return nil, false
	}
	small := &ownedReplicaSet{
		name: set.Name, uid: set.UID, ownerUID: owner.UID, namespace: unique.Make(set.Namespace), owner: unique.Make(ControllerOf(set)),
		labels: LabelsOf(set.Labels), annotations: LabelsOf(set.Annotations), created: set.CreationTimestamp.Unix(), generation: set.Generation,
		replicas: *set.Spec.Replicas,
		status: replicaSetCounts{
			set.Status.Replicas, set.Status.FullyLabeledReplicas, set.Status.ReadyReplicas, set.Status.AvailableReplicas, -1, set.Status.ObservedGeneration,
		},
	}
	if terminating := set.Status.TerminatingReplicas; terminating != nil {
		small.status.terminating = *terminating
	}
	return small, equality.Semantic.DeepEqual(set, small.expand())
}

// expand returns the ReplicaSet.
func (s *ownedReplicaSet) expand() Object {
	owner := s.owner.Value()
	replicas, yes := s.replicas, true
	var terminating *int32
	if s.status.terminating >= 0 {
		terminating = new(s.status.terminating)
	}
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.GetNamespace(), Name: s.name, UID: s.uid, Generation: s.generation, CreationTimestamp: metav1.Unix(s.created, 0),
			Labels: s.labels.Map(), Annotations: s.annotations.Map(),
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: owner.APIVersion, Kind: owner.Kind, Name: owner.Name, UID: s.ownerUID, Controller: &yes, BlockOwnerDeletion: &yes,
			}},
		},
		Spec: appsv1.ReplicaSetSpec{Replicas: &replicas},
		Status: appsv1.ReplicaSetStatus{
			Replicas: s.status.replicas, FullyLabeledReplicas: s.status.fullyLabeled, ReadyReplicas: s.status.ready,
			AvailableReplicas: s.status.available, ObservedGeneration: s.status.observedGeneration, TerminatingReplicas: terminating,
		},
	}
}

// GetName returns the name.
func (s *ownedReplicaSet) GetName() string { return s.name }

// GetNamespace returns the namespace.
func (s *ownedReplicaSet) GetNamespace() string { return s.namespace.Value() }

// Owner is the Deployment.
func (s *ownedReplicaSet) Owner() Owner { return s.owner.Value() }

// GetObjectMeta returns the metadata by which client-go's stores key objects.
func (s *ownedReplicaSet) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: s.GetNamespace(), Name: s.name}
}

// GetObjectKind makes it a runtime.Object, as client-go's stores expect.
func (s *ownedReplicaSet) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject returns the object itself: it is immutable.
func (s *ownedReplicaSet) DeepCopyObject() runtime.Object { return s }
