package outage_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
)

// step is an operation on the way of a pod back to its callers.
type step struct {
	name, rule string
}

// The steps that generated hooks intercept.
var (
	creation    = step{"creation", `{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}`}
	bindingStep = step{"binding", `{operations: [CREATE], apiGroups: [""], apiVersions: ["*"], resources: [pods/binding]}`}
	token       = step{"token", `{operations: ["*"], apiGroups: [""], apiVersions: [v1], resources: [serviceaccounts/token]}`}
	podStatus   = step{"status", `{operations: [UPDATE], apiGroups: [""], apiVersions: [v1], resources: [pods/status]}`}
	slicesStep  = step{"slices", `{operations: [CREATE, UPDATE], apiGroups: [discovery.k8s.io], apiVersions: [v1], resources: [endpointslices]}`}
	allSteps    = []step{creation, bindingStep, token, podStatus, slicesStep}
)

// generated is a cluster of extensions, each a workload with a backend in a
// namespace of its own, whose webhooks intercept steps of each other.
type generated struct {
	extensions []generatedExtension
	// bystander is a workload that answers nothing.
	bystander bool
}

type generatedExtension struct {
	namespace, kind string
	mountsToken     bool
	hooks           []generatedHook
}

type generatedHook struct {
	steps []step
	// named are the namespaces that the hook leaves alone; where only is set, it
	// leaves all others alone.
	named          []string
	only           bool
	open, mutating bool
}

func (h *generatedHook) intercepts(s step, namespace string) bool {
	return slices.Contains(h.steps, s) && slices.Contains(h.named, namespace) == h.only
}

func generate(seed uint64) *generated {
	random := rand.New(rand.NewPCG(seed, 0))
	g := &generated{bystander: random.IntN(2) == 0}
	namespaces := []string{"kube-system", "shop"}
	size := 1 + random.IntN(5)
	for i := range size {
		namespaces = append(namespaces, fmt.Sprintf("system-%d", i))
	}
	for i := range size {
		e := generatedExtension{
			namespace: fmt.Sprintf("system-%d", i), kind: []string{"ReplicaSet", "StatefulSet", "DaemonSet"}[random.IntN(3)], mountsToken: random.IntN(3) > 0,
		}
		for range 1 + random.IntN(2) {
			h := generatedHook{only: random.IntN(4) > 0, open: random.IntN(5) == 0, mutating: random.IntN(2) == 0}
			for _, s := range allSteps {
				if random.IntN(4) == 0 {
					h.steps = append(h.steps, s)
				}
			}
			if len(h.steps) == 0 {
				h.steps = []step{creation}
			}
			for _, namespace := range namespaces {
				if random.IntN(4) == 0 {
					h.named = append(h.named, namespace)
				}
			}
			if len(h.named) > 0 {
				e.hooks = append(e.hooks, h)
			}
		}
		g.extensions = append(g.extensions, e)
	}
	return g
}

func (e *generatedExtension) backend() string { return "hook." + e.namespace + ".443" }

// snapshot is the cluster as it is read from a dump.
func (g *generated) snapshot(t *testing.T) *cluster.Snapshot {
	t.Helper()
	var b bytes.Buffer
	write := func(format string, args ...any) { fmt.Fprintf(&b, "---\n"+format+"\n", args...) }
	write("{apiVersion: v1, kind: Node, metadata: {name: node-1}, status: {conditions: [{type: Ready, status: \"True\"}]}}")
	for _, namespace := range []string{"kube-system", "shop"} {
		write("{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {kubernetes.io/metadata.name: %s}}}", namespace, namespace)
	}
	if g.bystander {
		writeWorkload(write, "shop", "ReplicaSet", true)
	}
	for i := range g.extensions {
		e := &g.extensions[i]
		write("{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {kubernetes.io/metadata.name: %s}}}", e.namespace, e.namespace)
		writeWorkload(write, e.namespace, e.kind, e.mountsToken)
		write("{apiVersion: v1, kind: Service, metadata: {namespace: %s, name: hook}, spec: {selector: {app: main}, ports: [{port: 443}]}}", e.namespace)
		write("{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {namespace: %s, name: hook-1, labels: {kubernetes.io/service-name: hook}}, addressType: IPv4, "+
			"ports: [{port: 443, protocol: TCP}], endpoints: [{addresses: [10.0.0.%d], conditions: {ready: true}, targetRef: {kind: Pod, namespace: %s, name: main-0}}]}", e.namespace, i+1, e.namespace)
		for j := range e.hooks {
			e.writeHook(write, j)
		}
	}
	contents, err := dump.ReadStream("generated", &b)
	if err != nil {
		t.Fatal(err)
	}
	return contents.Snapshot()
}

func writeWorkload(write func(string, ...any), namespace, kind string, mountsToken bool) {
	spec := fmt.Sprintf("{automountServiceAccountToken: %t, containers: [{name: main, image: main}]}", mountsToken)
	write("{apiVersion: apps/v1, kind: %s, metadata: {namespace: %s, name: main, uid: %s}, spec: {selector: {matchLabels: {app: main}}, template: {metadata: {labels: {app: main}}, spec: %s}}, status: {desiredNumberScheduled: 1}}",
		kind, namespace, namespace, spec)
	write("{apiVersion: v1, kind: Pod, metadata: {namespace: %s, name: main-0, labels: {app: main}, ownerReferences: [{apiVersion: apps/v1, kind: %s, name: main, uid: %s, controller: true}]}, "+
		"spec: {nodeName: node-1, automountServiceAccountToken: %t, containers: [{name: main, image: main}]}, status: {phase: Running, conditions: [{type: Ready, status: \"True\"}]}}",
		namespace, kind, namespace, mountsToken)
}

func (e *generatedExtension) writeHook(write func(string, ...any), number int) {
	h := &e.hooks[number]
	kind, policy, operator := "Validating", "Fail", "NotIn"
	if h.mutating {
		kind = "Mutating"
	}
	if h.open {
		policy = "Ignore"
	}
	if h.only {
		operator = "In"
	}
	var rules []string
	for _, s := range h.steps {
		rules = append(rules, s.rule)
	}
	write("{apiVersion: admissionregistration.k8s.io/v1, kind: %sWebhookConfiguration, metadata: {name: %s-%d}, webhooks: [{name: hook.example.com, "+
		"clientConfig: {service: {namespace: %s, name: hook, port: 443}}, admissionReviewVersions: [v1], sideEffects: None, failurePolicy: %s, timeoutSeconds: 10, "+
		"namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: %s, values: [%s]}]}, rules: [%s]}]}",
		kind, e.namespace, number, e.namespace, policy, operator, strings.Join(h.named, ", "), strings.Join(rules, ", "))
}
