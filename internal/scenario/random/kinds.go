package random

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

// Kind is a kind of objects that requests are about.
type Kind struct {
	Group    string
	Versions []string
	Resource string
	Kind     string
	// Namespaced objects are in one of the cluster's namespaces.
	Namespaced bool
	// Subresources are those that requests go to.
	Subresources []string
	// CreateOnly kinds can be created and nothing else; their objects are not
	// kept.
	CreateOnly bool
	// Upsert kinds are created by a PUT of an object that is not there.
	Upsert bool
	// DryOnly kinds are never really written: they would change the cluster
	// that the requests meet.
	DryOnly bool
	// Unstored kinds have no objects that are there before.
	Unstored bool
	// bodies are what objects have besides metadata, in YAML.
	bodies []string
	// patches are merge patches of existing objects besides those of metadata.
	patches []string
	// conditions are CEL expressions over objects of the kind.
	conditions []string
}

const podSpec = `{containers: [{name: main, image: "registry.example/app:1", securityContext: {allowPrivilegeEscalation: false}}]%s}`

// template is a pod template whose labels its selector selects.
func template(extra string) string {
	return `{metadata: {labels: {run: x}}, spec: ` + fmt.Sprintf(podSpec, extra) + `}`
}

// Kinds are those that requests are about.
var Kinds = []*Kind{
	{
		Versions: []string{"v1"}, Resource: "configmaps", Kind: "ConfigMap", Namespaced: true,
		bodies:     []string{`{data: {k: v}}`, `{data: {k: w, mode: strict}}`, `{}`, `{immutable: false, data: {k: v}}`},
		patches:    []string{`{data: {k: changed}}`, `{data: {mode: lax}}`},
		conditions: []string{`has(object.data)`, `object.data['k'] == 'v'`, `object.?data.k.orValue('') != 'w'`, `object == null || !has(object.immutable)`},
	},
	{
		Versions: []string{"v1"}, Resource: "pods", Kind: "Pod", Namespaced: true,
		Subresources: []string{"status", "ephemeralcontainers", "binding", "eviction", "exec", "attach", "portforward", "proxy", "resize"},
		bodies: []string{
			`{spec: ` + fmt.Sprintf(podSpec, "") + `}`,
			`{spec: ` + fmt.Sprintf(podSpec, ", hostNetwork: true") + `}`,
			`{spec: ` + fmt.Sprintf(podSpec, ", restartPolicy: Never, nodeName: nowhere") + `}`,
			`{spec: ` + fmt.Sprintf(podSpec, ", priority: 0, tolerations: [{key: a, operator: Exists}]") + `}`,
		},
		patches:    []string{`{spec: {activeDeadlineSeconds: 100}}`, `{spec: {containers: [{name: main, image: "registry.example/app:2"}]}}`},
		conditions: []string{`!has(object.spec.hostNetwork) || !object.spec.hostNetwork`, `object.spec.containers.all(c, c.image.startsWith('registry.example/'))`, `object.?spec.?restartPolicy.orValue('') == 'Always'`, `size(object.spec.containers) == 1`, `!has(object.spec.nodeName)`},
	},
	{
		Versions: []string{"v1"}, Resource: "services", Kind: "Service", Namespaced: true, Subresources: []string{"status", "proxy"},
		bodies:     []string{`{spec: {ports: [{port: 80}]}}`, `{spec: {clusterIP: None, ports: [{port: 80, name: http}], selector: {a: b}}}`},
		patches:    []string{`{spec: {selector: {c: d}}}`},
		conditions: []string{`object.spec.type == 'ClusterIP'`, `object.?spec.?clusterIP.orValue('') == 'None'`, `object.spec.ports.exists(p, p.port == 80)`},
	},
	{
		Versions: []string{"v1"}, Resource: "secrets", Kind: "Secret", Namespaced: true,
		bodies:     []string{`{stringData: {k: v}}`, `{type: Opaque, data: {k: dg==}}`},
		patches:    []string{`{stringData: {k: w}}`},
		conditions: []string{`object.type == 'Opaque'`, `has(object.stringData)`, `has(object.data)`},
	},
	{
		Versions: []string{"v1"}, Resource: "serviceaccounts", Kind: "ServiceAccount", Namespaced: true, Subresources: []string{"token"},
		bodies: []string{`{}`, `{automountServiceAccountToken: false}`}, patches: []string{`{automountServiceAccountToken: true}`},
		conditions: []string{`!has(object.automountServiceAccountToken)`},
	},
	{
		Versions: []string{"v1"}, Resource: "namespaces", Kind: "Namespace", Subresources: []string{"status"}, DryOnly: true, Unstored: true,
		bodies: []string{`{}`}, conditions: []string{`object.metadata.labels['kubernetes.io/metadata.name'].startsWith('n')`, `object.metadata.?labels.env.orValue('') != 'prod'`},
	},
	{
		Versions: []string{"v1"}, Resource: "nodes", Kind: "Node", Subresources: []string{"status"}, DryOnly: true,
		bodies: []string{`{}`, `{spec: {unschedulable: true}}`}, patches: []string{`{spec: {unschedulable: true}}`},
		conditions: []string{`has(object.spec)`, `!has(object.spec.unschedulable)`},
	},
	{
		Versions: []string{"v1"}, Resource: "persistentvolumes", Kind: "PersistentVolume", DryOnly: true,
		bodies:     []string{`{spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /tmp/x}}}`},
		conditions: []string{`object.spec.persistentVolumeReclaimPolicy == 'Retain'`},
	},
	{
		Versions: []string{"v1"}, Resource: "replicationcontrollers", Kind: "ReplicationController", Namespaced: true, Subresources: []string{"scale", "status"},
		bodies: []string{`{spec: {replicas: 1, selector: {run: x}, template: ` + template("") + `}}`}, patches: []string{`{spec: {replicas: 3}}`},
	},
	{
		Versions: []string{"v1"}, Resource: "events", Kind: "Event", Namespaced: true,
		bodies: []string{`{involvedObject: {kind: Pod, name: x, namespace: NAMESPACE}, reason: R, message: m, type: Normal}`}, patches: []string{`{message: changed}`},
		conditions: []string{`has(object.message)`, `has(object.note)`},
	},
	{
		Versions: []string{"v1"}, Resource: "resourcequotas", Kind: "ResourceQuota", Namespaced: true, DryOnly: true, Unstored: true,
		bodies: []string{`{spec: {hard: {pods: "1000"}}}`}, patches: []string{`{spec: {hard: {pods: "999"}}}`},
	},
	{
		Group: "apps", Versions: []string{"v1"}, Resource: "deployments", Kind: "Deployment", Namespaced: true, Subresources: []string{"scale", "status"},
		bodies: []string{
			`{spec: {selector: {matchLabels: {run: x}}, template: ` + template("") + `}}`,
			`{spec: {replicas: 3, selector: {matchLabels: {run: x}}, template: ` + template(", hostNetwork: true") + `}}`,
			`{spec: {replicas: 0, paused: true, selector: {matchLabels: {run: x}}, template: ` + template("") + `}}`,
		},
		patches:    []string{`{spec: {replicas: 5}}`, `{spec: {template: {spec: {terminationGracePeriodSeconds: 5}}}}`, `{spec: {paused: true}}`},
		conditions: []string{`object.spec.replicas > 2`, `object.?spec.?replicas.orValue(0) >= 2`, `object.spec.template.spec.containers.size() == 1`, `object.spec.template.metadata.labels['run'] == 'x'`, `!has(object.spec.paused)`},
	},
	{
		Group: "apps", Versions: []string{"v1"}, Resource: "statefulsets", Kind: "StatefulSet", Namespaced: true, Subresources: []string{"scale", "status"},
		bodies:  []string{`{spec: {replicas: 2, serviceName: s, selector: {matchLabels: {run: x}}, template: ` + template("") + `}}`},
		patches: []string{`{spec: {replicas: 1}}`}, conditions: []string{`object.spec.replicas == 2`, `object.spec.podManagementPolicy == 'Parallel'`},
	},
	{
		Group: "apps", Versions: []string{"v1"}, Resource: "daemonsets", Kind: "DaemonSet", Namespaced: true, Subresources: []string{"status"},
		bodies: []string{`{spec: {selector: {matchLabels: {run: x}}, template: ` + template("") + `}}`}, patches: []string{`{spec: {minReadySeconds: 3}}`},
	},
	{
		Group: "batch", Versions: []string{"v1"}, Resource: "jobs", Kind: "Job", Namespaced: true, Subresources: []string{"status"},
		bodies: []string{`{spec: {template: {spec: ` + fmt.Sprintf(podSpec, ", restartPolicy: Never") + `}}}`}, patches: []string{`{spec: {suspend: true}}`},
		conditions: []string{`object.spec.completions == 1`, `object.?spec.?suspend.orValue(false) == false`},
	},
	{
		Group: "autoscaling", Versions: []string{"v1", "v2"}, Resource: "horizontalpodautoscalers", Kind: "HorizontalPodAutoscaler", Namespaced: true,
		bodies: []string{`{spec: {maxReplicas: 3, minReplicas: 1, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: x}}}`}, patches: []string{`{spec: {maxReplicas: 4}}`},
		conditions: []string{`has(object.spec.metrics)`, `object.spec.maxReplicas > 3`},
	},
	{
		Group: "networking.k8s.io", Versions: []string{"v1"}, Resource: "networkpolicies", Kind: "NetworkPolicy", Namespaced: true,
		bodies: []string{`{spec: {podSelector: {}}}`, `{spec: {podSelector: {matchLabels: {a: b}}, policyTypes: [Egress]}}`}, patches: []string{`{spec: {policyTypes: [Ingress, Egress]}}`},
		conditions: []string{`'Ingress' in object.spec.policyTypes`},
	},
	{
		Group: "policy", Versions: []string{"v1"}, Resource: "poddisruptionbudgets", Kind: "PodDisruptionBudget", Namespaced: true, DryOnly: true, Subresources: []string{"status"},
		bodies: []string{`{spec: {minAvailable: 1, selector: {matchLabels: {never: there}}}}`}, patches: []string{`{spec: {minAvailable: 2}}`},
	},
	{
		Group: "coordination.k8s.io", Versions: []string{"v1"}, Resource: "leases", Kind: "Lease", Namespaced: true, Upsert: true,
		bodies: []string{`{spec: {holderIdentity: me, leaseDurationSeconds: 10}}`, `{}`}, patches: []string{`{spec: {holderIdentity: you}}`},
		conditions: []string{`object.spec.holderIdentity == 'me'`, `object.?spec.holderIdentity.orValue('') != 'you'`},
	},
	{
		Group: "rbac.authorization.k8s.io", Versions: []string{"v1"}, Resource: "roles", Kind: "Role", Namespaced: true, DryOnly: true,
		bodies: []string{`{rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}`}, patches: []string{`{rules: []}`},
	},
	{
		Group: "events.k8s.io", Versions: []string{"v1"}, Resource: "events", Kind: "Event", Namespaced: true,
		bodies: []string{`{regarding: {kind: Pod, name: x, namespace: NAMESPACE}, reason: R, note: m, type: Normal, action: A, eventTime: "2026-01-01T00:00:00.000000Z", reportingController: c, reportingInstance: i}`},
	},
	{
		Group: "discovery.k8s.io", Versions: []string{"v1"}, Resource: "endpointslices", Kind: "EndpointSlice", Namespaced: true,
		bodies: []string{`{addressType: IPv4, endpoints: [{addresses: [10.1.2.3]}], ports: [{port: 80}]}`}, patches: []string{`{endpoints: []}`},
	},
	{
		Group: "storage.k8s.io", Versions: []string{"v1"}, Resource: "storageclasses", Kind: "StorageClass", DryOnly: true,
		bodies: []string{`{provisioner: example.com/x}`}, conditions: []string{`object.provisioner == 'example.com/x'`, `object.reclaimPolicy == 'Delete'`},
	},
	{
		Group: "scheduling.k8s.io", Versions: []string{"v1"}, Resource: "priorityclasses", Kind: "PriorityClass", DryOnly: true,
		bodies: []string{`{value: 7}`}, conditions: []string{`object.value > 5`},
	},
	{
		Group: "resource.k8s.io", Versions: []string{"v1"}, Resource: "deviceclasses", Kind: "DeviceClass", DryOnly: true,
		bodies: []string{`{spec: {selectors: [{cel: {expression: "true"}}]}}`},
	},
	{
		Group: customGroup, Versions: []string{"v1", "v1beta1"}, Resource: "widgets", Kind: "Widget", Namespaced: true, Subresources: []string{"status", "scale"},
		bodies:     []string{`{spec: {replicas: 1, size: 3}}`, `{spec: {size: 9}}`, `{}`},
		patches:    []string{`{spec: {size: 4}}`, `{spec: {replicas: 2}}`},
		conditions: []string{`object.spec.size > 4`, `object.?spec.?color.orValue('') == 'green'`, `object.spec.replicas == 1`, `object.apiVersion.endsWith('v1')`},
	},
	{
		Group: customGroup, Versions: []string{"v1"}, Resource: "gadgets", Kind: "Gadget",
		bodies: []string{`{spec: {size: 1}}`, `{}`}, patches: []string{`{spec: {size: 2}}`}, conditions: []string{`has(object.spec)`, `object.spec.size == 1`},
	},
	{
		Group: "admissionregistration.k8s.io", Versions: []string{"v1"}, Resource: "validatingwebhookconfigurations", Kind: "ValidatingWebhookConfiguration", DryOnly: true,
		bodies: []string{`{webhooks: []}`},
	},
	{
		Group: "admissionregistration.k8s.io", Versions: []string{"v1"}, Resource: "mutatingadmissionpolicybindings", Kind: "MutatingAdmissionPolicyBinding", DryOnly: true,
		bodies: []string{`{spec: {policyName: none}}`},
	},
	{
		Group: "authorization.k8s.io", Versions: []string{"v1"}, Resource: "subjectaccessreviews", Kind: "SubjectAccessReview", CreateOnly: true,
		bodies: []string{`{spec: {user: x, resourceAttributes: {verb: get, resource: pods}}}`},
	},
	{
		Group: "authorization.k8s.io", Versions: []string{"v1"}, Resource: "localsubjectaccessreviews", Kind: "LocalSubjectAccessReview", Namespaced: true, CreateOnly: true,
		bodies: []string{`{spec: {user: x, resourceAttributes: {verb: get, resource: pods, namespace: NAMESPACE}}}`},
	},
}

// parse reads a YAML text of this package.
func parse(text string) map[string]any {
	var object map[string]any
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		panic(fmt.Sprintf("%s: %v", text, err))
	}
	if object == nil {
		object = map[string]any{}
	}
	return object
}

func (k *Kind) apiVersion(version string) string {
	if k.Group == "" {
		return version
	}
	return k.Group + "/" + version
}
