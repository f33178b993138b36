package cluster

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// Each row has an object as a cluster shows it and what is left of it.
func TestOfAnObjectIsKeptWhatEnginesRead(t *testing.T) {
	for _, test := range []struct {
		name, resource, object, want string
	}{
		{"a Job keeps what it has still to do", "jobs.batch", `
metadata: {namespace: shop, name: migrate, ownerReferences: [{apiVersion: batch/v1, kind: CronJob, name: nightly, uid: "1", controller: true}]}
spec: {completions: 3, parallelism: 2, backoffLimit: 6, completionMode: NonIndexed, selector: {matchLabels: {controller-uid: "2"}}, template: {spec: {serviceAccountName: migrate, containers: []}}}
status: {active: 2, succeeded: 1, failed: 4, ready: 1, startTime: "2026-01-01T00:00:00Z", uncountedTerminatedPods: {failed: [a]},
  conditions: [{type: FailureTarget, status: "False", lastProbeTime: "2026-01-01T00:00:00Z", message: m}]}
`, `
metadata: {namespace: shop, name: migrate, ownerReferences: [{apiVersion: batch/v1, kind: CronJob, name: nightly, uid: "1", controller: true}]}
spec: {completions: 3, parallelism: 2, suspend: false, template: {spec: {serviceAccountName: migrate, containers: []}}}
status: {active: 2, succeeded: 1, failed: 4, conditions: [{type: FailureTarget, status: "False"}]}
`},
		{"a Job that is finished keeps no template", "jobs.batch", `
metadata: {namespace: shop, name: migrate}
spec: {template: {spec: {serviceAccountName: migrate, containers: []}}}
status: {succeeded: 1, conditions: [{type: Complete, status: "True"}]}
`, `
metadata: {namespace: shop, name: migrate}
spec: {completions: 1, parallelism: 1, suspend: false}
status: {succeeded: 1, conditions: [{type: Complete, status: "True"}]}
`},
		{"a Job whose pods take from a queue has no number of completions", "jobs.batch", `
metadata: {namespace: shop, name: work}
spec: {parallelism: 4}
`, `
metadata: {namespace: shop, name: work}
spec: {parallelism: 4, suspend: false}
`},
		{"a PersistentVolume keeps whose it is and where it can be used", "persistentvolumes", `
metadata: {name: pv-1, finalizers: [external-attacher/ebs-csi-aws-com]}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: gp3
  claimRef: {kind: PersistentVolumeClaim, namespace: shop, name: data-db-0, uid: "3", resourceVersion: "4"}
  csi: {driver: ebs.csi.aws.com, volumeHandle: vol-1, fsType: ext4, volumeAttributes: {a: b}}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [a]}]}]}}
status: {phase: Bound, lastPhaseTransitionTime: "2026-01-01T00:00:00Z"}
`, `
metadata: {name: pv-1, finalizers: [external-attacher/ebs-csi-aws-com]}
spec:
  storageClassName: gp3
  claimRef: {namespace: shop, name: data-db-0}
  csi: {driver: ebs.csi.aws.com, volumeHandle: ""}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [a]}]}]}}
status: {phase: Bound}
`},
		{"a PersistentVolume without a driver has none", "persistentvolumes", `
metadata: {name: pv-2}
spec: {hostPath: {path: /tmp}}
`, `
metadata: {name: pv-2}
spec: {}
`},
		{"a PersistentVolumeClaim keeps which volume it has", "persistentvolumeclaims", `
metadata: {namespace: shop, name: data-db-0, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: db, uid: "5"}]}
spec: {accessModes: [ReadWriteOnce], storageClassName: "", volumeName: pv-1, resources: {requests: {storage: 1Gi}}}
status: {phase: Bound, capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce]}
`, `
metadata: {namespace: shop, name: data-db-0}
spec: {storageClassName: "", volumeName: pv-1}
status: {phase: Bound}
`},
		{"a VolumeAttachment keeps what is attached where", "volumeattachments.storage.k8s.io", `
metadata: {name: csi-1}
spec: {attacher: ebs.csi.aws.com, nodeName: node-1, source: {persistentVolumeName: pv-1}}
status: {attached: true, attachmentMetadata: {devicePath: /dev/xvda}, attachError: {message: m}}
`, `
metadata: {name: csi-1}
spec: {attacher: ebs.csi.aws.com, nodeName: node-1, source: {persistentVolumeName: pv-1}}
status: {attached: true}
`},
		{"a StorageClass keeps who makes its volumes and when", "storageclasses.storage.k8s.io", `
metadata: {name: gp3, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: ebs.csi.aws.com
parameters: {type: gp3}
reclaimPolicy: Delete
volumeBindingMode: WaitForFirstConsumer
allowVolumeExpansion: true
`, `
metadata: {name: gp3, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: ebs.csi.aws.com
volumeBindingMode: WaitForFirstConsumer
`},
		{"a StorageClass that does not say when makes them at once", "storageclasses.storage.k8s.io", `
metadata: {name: standard}
provisioner: example.com/nfs
`, `
metadata: {name: standard}
provisioner: example.com/nfs
volumeBindingMode: Immediate
`},
		{"a PodDisruptionBudget keeps what it allows", "poddisruptionbudgets.policy", `
metadata: {namespace: shop, name: web}
spec: {minAvailable: 50%, selector: {matchLabels: {app: web}}, unhealthyPodEvictionPolicy: AlwaysAllow}
status: {disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3, disruptedPods: {web-1: "2026-01-01T00:00:00Z"},
  conditions: [{type: DisruptionAllowed, status: "True", reason: r, message: "", lastTransitionTime: "2026-01-01T00:00:00Z"}]}
`, `
metadata: {namespace: shop, name: web}
spec: {minAvailable: 50%, selector: {matchLabels: {app: web}}, unhealthyPodEvictionPolicy: AlwaysAllow}
status: {disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3}
`},
		{"a ResourceQuota keeps what it grants and what is used", "resourcequotas", `
metadata: {namespace: shop, name: compute}
spec: {hard: {pods: "10"}, scopes: [NotTerminating], scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}}
status: {hard: {pods: "10"}, used: {pods: "9"}}
`, `
metadata: {namespace: shop, name: compute}
spec: {hard: {pods: "10"}, scopes: [NotTerminating], scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}}
status: {hard: {pods: "10"}, used: {pods: "9"}}
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			row, ok := Lookup(schema.ParseGroupResource(test.resource))
			if !ok {
				t.Fatalf("%s is not observed", test.resource)
			}
			object, want := row.New(), row.New()
			if err := errors.Join(yaml.UnmarshalStrict([]byte(test.object), object), yaml.UnmarshalStrict([]byte(test.want), want)); err != nil {
				t.Fatal(err)
			}
			kept, err := row.Keep(object)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, kept.(any)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
