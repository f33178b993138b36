package cluster

import (
	"strings"
	"unique"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

var _ interface {
	compact
	runtime.Object
	metav1.ObjectMetaAccessor
} = (*finishedJob)(nil)

// finishedJob is a Job with its pods behind it. A cluster keeps several for each
// CronJob, and the API type takes more than a kilobyte for the template that was
// dropped.
type finishedJob struct {
	name                      string
	uid, ownerUID             types.UID
	namespace                 unique.Handle[string]
	owner                     unique.Handle[Owner]
	labels, annotations       Labels
	created, generation       int64
	parallelism, completions  int32
	active, succeeded, failed int32
	// conditions are the types of those that are true.
	conditions unique.Handle[string]
}

// compactJob returns the smaller form of a Job, if it has one from which
// everything comes back.
func compactJob(job *batchv1.Job) (*finishedJob, bool) {
	if len(job.Status.Conditions) == 0 || job.Spec.Parallelism == nil || job.Spec.Completions == nil || job.CreationTimestamp.IsZero() {
		return nil, false
	}
	conditions := make([]string, len(job.Status.Conditions))
	for i, condition := range job.Status.Conditions {
		conditions[i] = string(condition.Type)
	}
	small := &finishedJob{
		name: job.Name, uid: job.UID, namespace: unique.Make(job.Namespace), owner: unique.Make(ControllerOf(job)),
		labels: LabelsOf(job.Labels), annotations: LabelsOf(job.Annotations), created: job.CreationTimestamp.Unix(), generation: job.Generation,
		parallelism: *job.Spec.Parallelism, completions: *job.Spec.Completions,
		active: job.Status.Active, succeeded: job.Status.Succeeded, failed: job.Status.Failed,
		conditions: unique.Make(strings.Join(conditions, " ")),
	}
	if owner := metav1.GetControllerOfNoCopy(job); owner != nil {
		small.ownerUID = owner.UID
	}
	return small, equality.Semantic.DeepEqual(job, small.expand())
}

// expand returns the Job.
func (j *finishedJob) expand() Object {
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: j.GetNamespace(), Name: j.name, UID: j.uid, Generation: j.generation, CreationTimestamp: metav1.Unix(j.created, 0),
			Labels: j.labels.Map(), Annotations: j.annotations.Map(),
		},
		Spec:   batchv1.JobSpec{Parallelism: new(j.parallelism), Completions: new(j.completions), Suspend: new(false)},
		Status: batchv1.JobStatus{Active: j.active, Succeeded: j.succeeded, Failed: j.failed},
	}
	if owner := j.owner.Value(); owner != (Owner{}) {
		job.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: owner.APIVersion, Kind: owner.Kind, Name: owner.Name, UID: j.ownerUID, Controller: new(true), BlockOwnerDeletion: new(true),
		}}
	}
	for condition := range strings.SplitSeq(j.conditions.Value(), " ") {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{Type: batchv1.JobConditionType(condition), Status: corev1.ConditionTrue})
	}
	return job
}

// GetName returns the name.
func (j *finishedJob) GetName() string { return j.name }

// GetNamespace returns the namespace.
func (j *finishedJob) GetNamespace() string { return j.namespace.Value() }

// GetObjectMeta returns the metadata by which client-go's stores key objects.
func (j *finishedJob) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: j.GetNamespace(), Name: j.name}
}

// GetObjectKind makes it a runtime.Object, as client-go's stores expect.
func (j *finishedJob) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject returns the object itself: it is immutable.
func (j *finishedJob) DeepCopyObject() runtime.Object { return j }
