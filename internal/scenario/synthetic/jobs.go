package synthetic

import (
	"fmt"
	"iter"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func (s Size) jobs() iter.Seq[runtime.Object] {
	return generate(s.Jobs, func(i int) *batchv1.Job {
		w := workload{index: i, namespace: s.namespace(i / 3), name: fmt.Sprintf("report-%d-%d", i/3, 29400000+i%3)}
		labels := map[string]string{"batch.kubernetes.io/controller-uid": string(uid(w.namespace, w.name)), "batch.kubernetes.io/job-name": w.name}
		started := metav1.NewTime(created)
		job := &batchv1.Job{
			ObjectMeta: metadata(w.namespace, w.name, labels, map[string]string{"batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-03-01T12:00:00Z"}),
			Spec: batchv1.JobSpec{
				Parallelism: new(int32(1)), Completions: new(int32(1)), BackoffLimit: new(int32(6)), Suspend: new(false),
				Selector: &metav1.LabelSelector{MatchLabels: labels},
				Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec(w)},
			},
			Status: batchv1.JobStatus{StartTime: &started, Active: 1, Ready: new(int32(1)), UncountedTerminatedPods: &batchv1.UncountedTerminatedPods{}},
		}
		job.OwnerReferences = controlledBy("batch/v1", "CronJob", w.namespace, fmt.Sprintf("report-%d", i/3))
		if i%10 != 0 {
			job.Status = batchv1.JobStatus{StartTime: &started, CompletionTime: &started, Succeeded: 1}
			for _, condition := range []batchv1.JobConditionType{batchv1.JobSuccessCriteriaMet, batchv1.JobComplete} {
				job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{Type: condition, Status: corev1.ConditionTrue, LastProbeTime: started, LastTransitionTime: started})
			}
		}
		return job
	})
}

func (s Size) disruptionBudgets() iter.Seq[runtime.Object] {
	return generate(s.Deployments/2, func(i int) *policyv1.PodDisruptionBudget {
		w := s.workload(2 * i)
		return &policyv1.PodDisruptionBudget{
			ObjectMeta: metadata(w.namespace, w.name, w.labels(), nil),
			Spec:       policyv1.PodDisruptionBudgetSpec{MaxUnavailable: new(intstr.FromInt32(1)), Selector: &metav1.LabelSelector{MatchLabels: w.selector()}},
			Status: policyv1.PodDisruptionBudgetStatus{
				ObservedGeneration: 1, DisruptionsAllowed: 1, CurrentHealthy: int32(w.pods), DesiredHealthy: int32(w.pods - 1), ExpectedPods: int32(w.pods),
				Conditions: []metav1.Condition{{Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionTrue, Reason: "SufficientPods", LastTransitionTime: metav1.NewTime(created)}},
			},
		}
	})
}
