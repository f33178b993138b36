package outage

import (
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/extant-project/extant/internal/inventory"
)

// Thousands of workloads need the same: what comes of an operation follows from
// the few labels that selectors of hooks mention, unless some hook reads more.
// Operations that agree in those are of one class and take one route.

// class is what the route of an operation follows from. Who asks is left out:
// only expressions and the authorizer know users.
type class struct {
	verb, resource, subresource string
	namespace, labels           int
	template                    *corev1.PodTemplateSpec
}

// classes finds the classes of operations for the pods of workloads.
type classes struct {
	deciders   map[string]*decider
	routes     map[class]*route
	namespaces map[string]namespaceKind
}

func newClasses() classes {
	return classes{map[string]*decider{}, map[class]*route{}, map[string]namespaceKind{}}
}

// without are the classes of requests that a hook is not registered for: they
// stay as they are when it changes.
func (c *classes) without(hook *inventory.Hook) classes {
	left := newClasses()
	rules := hook.Rules()
	for resource, d := range c.deciders {
		if !concerns(rules, resource) {
			left.deciders[resource] = d
		}
	}
	for of, r := range c.routes {
		if left.deciders[of.resource] != nil {
			left.routes[of] = r
		}
	}
	return left
}

// decider is what the hooks that may be registered for a resource read.
type decider struct {
	// everything: some of them evaluate expressions, or read labels that
	// controllers make up: no two requests are the same to them.
	everything          bool
	namespaces, objects projection
	byNamespace         map[string]int
}

// projection keeps of label sets what selectors can tell apart.
type projection struct {
	// values are those that are mentioned, by key.
	values map[string][]string
	keys   []string
	known  map[string]int
}

// madeUp are labels that controllers give to pods.
var madeUp = []string{
	appsv1.DefaultDeploymentUniqueLabelKey, appsv1.DefaultDaemonSetUniqueLabelKey, appsv1.StatefulSetPodNameLabel, appsv1.PodIndexLabel, "pod-template-generation",
	batchv1.JobNameLabel, batchv1.ControllerUidLabel, "job-name", "controller-uid",
}

// of returns the class of an operation for the pods of a workload; ok is false
// for an operation like no other.
func (a *analysis) classOf(o *operation) (c class, ok bool) {
	if o.of == nil && !o.alike {
		return class{}, false
	}
	d := a.deciderOf(o.resource)
	if d.everything || o.alike && len(d.objects.keys) > 0 {
		return class{}, false
	}
	c = class{verb: string(o.verb), resource: o.resource, subresource: o.subresource}
	c.namespace = d.namespace(a, o.namespace)
	if o.resource != "pods" || o.subresource == "binding" {
		return c, true
	}
	c.labels = d.objects.of(o.of.labels)
	if o.subresource == "" && !isPlain(o.of.template) {
		c.template = o.of.template
	}
	return c, true
}

// namespace is the number of what a decider can tell apart of a namespace.
func (d *decider) namespace(a *analysis, name string) int {
	number, ok := d.byNamespace[name]
	if !ok {
		number = d.namespaces.of(a.namespaceLabels(name))
		d.byNamespace[name] = number
	}
	return number
}

// namespaceLabels are the labels of a namespace, and whether it is there and
// stays.
func (a *analysis) namespaceLabels(name string) labels.Labels {
	namespace, ok := a.snapshot().Namespaces().Get("", name)
	if !ok {
		return labels.Set{"": "missing"}
	}
	if namespace.Status.Phase != corev1.NamespaceTerminating {
		return labels.Set(namespace.Labels)
	}
	return labels.Merge(labels.Set(namespace.Labels), labels.Set{"": string(corev1.NamespaceTerminating)})
}

func (a *analysis) deciderOf(resource string) *decider {
	if known, ok := a.classes.deciders[resource]; ok {
		return known
	}
	d := &decider{byNamespace: map[string]int{}}
	d.namespaces.mention("")
	for i := range a.observed.Inventory.Hooks {
		d.read(&a.observed.Inventory.Hooks[i], resource)
	}
	if resource == "pods" {
		d.namespaces.keepAll(podSecurityPrefix)
	}
	d.everything = d.everything || slices.ContainsFunc(d.objects.keys, func(key string) bool { return slices.Contains(madeUp, key) })
	a.classes.deciders[resource] = d
	return d
}

// read notes what a hook reads if it may be registered for a resource.
func (d *decider) read(hook *inventory.Hook, resource string) {
	if w := hook.MutatingWebhook(); w != nil && concerns(w.Rules, resource) {
		d.mention(w.NamespaceSelector, w.ObjectSelector, len(w.MatchConditions) > 0)
	}
	if w := hook.ValidatingWebhook(); w != nil && concerns(w.Rules, resource) {
		d.mention(w.NamespaceSelector, w.ObjectSelector, len(w.MatchConditions) > 0)
	}
	var constraints *admissionregistrationv1.MatchResources
	switch {
	case hook.ValidatingPolicy != nil:
		constraints = hook.ValidatingPolicy.Spec.MatchConstraints
	case hook.MutatingPolicy != nil:
		constraints = hook.MutatingPolicy.Spec.MatchConstraints
	}
	if constraints == nil {
		return
	}
	for i := range constraints.ResourceRules {
		rule := constraints.ResourceRules[i].RuleWithOperations
		d.everything = d.everything || concerns([]admissionregistrationv1.RuleWithOperations{rule}, resource)
	}
}

// concerns tells whether rules may match a resource, in whatever group.
func concerns(rules []admissionregistrationv1.RuleWithOperations, resource string) bool {
	for i := range rules {
		for _, written := range rules[i].Resources {
			if name, _ := splitResource(written); name == resource || name == "*" {
				return true
			}
		}
	}
	return false
}

func (d *decider) mention(namespaces, objects *metav1.LabelSelector, conditions bool) {
	d.everything = d.everything || conditions
	d.namespaces.mentionAll(namespaces)
	d.objects.mentionAll(objects)
}

func (p *projection) mentionAll(selector *metav1.LabelSelector) {
	if selector == nil {
		return
	}
	for key, value := range selector.MatchLabels {
		p.mention(key, value)
	}
	for i := range selector.MatchExpressions {
		p.mention(selector.MatchExpressions[i].Key, selector.MatchExpressions[i].Values...)
	}
}

func (p *projection) mention(key string, values ...string) {
	if p.values == nil {
		p.values, p.known = map[string][]string{}, map[string]int{}
	}
	known, ok := p.values[key]
	if !ok {
		p.keys = append(p.keys, key)
	}
	for _, value := range values {
		if !slices.Contains(known, value) {
			known = append(known, value)
		}
	}
	p.values[key] = known
}

const podSecurityPrefix = "pod-security.kubernetes.io/"

// keepAll keeps the labels of pod security as they are.
func (p *projection) keepAll(prefix string) {
	for _, mode := range []string{"enforce", "enforce-version", "audit", "audit-version", "warn", "warn-version"} {
		p.mention(prefix + mode)
		p.values[prefix+mode] = nil
	}
}

// of returns the number of what is kept of a label set.
func (p *projection) of(set labels.Labels) int {
	if len(p.keys) == 0 || set == nil {
		return 0
	}
	var b strings.Builder
	for _, key := range p.keys {
		value, ok := set.Lookup(key)
		switch values := p.values[key]; {
		case !ok:
			b.WriteByte(0)
		case values == nil || slices.Contains(values, value):
			b.WriteString(value)
		default:
			b.WriteByte(1)
		}
		b.WriteByte(2)
	}
	kept := b.String()
	number, ok := p.known[kept]
	if !ok {
		number = len(p.known) + 1
		p.known[kept] = number
	}
	return number
}

// isPlain tells whether pods have nothing that pod security looks at: to it,
// all such pods are the same.
func isPlain(template *corev1.PodTemplateSpec) bool {
	if template == nil {
		return false
	}
	spec := &template.Spec
	if spec.NodeName != "" || spec.HostNetwork || spec.HostPID || spec.HostIPC || spec.HostUsers != nil || spec.OS != nil || !isZero(spec.SecurityContext) ||
		len(spec.InitContainers) > 0 || len(spec.EphemeralContainers) > 0 || len(template.Annotations) > 0 {
		return false
	}
	for i := range spec.Volumes {
		v := &spec.Volumes[i].VolumeSource
		if v.ConfigMap == nil && v.Secret == nil && v.EmptyDir == nil && v.PersistentVolumeClaim == nil && v.Projected == nil {
			return false
		}
	}
	for i := range spec.Containers {
		c := &spec.Containers[i]
		if c.SecurityContext != nil || c.Lifecycle != nil || c.LivenessProbe != nil || c.ReadinessProbe != nil || c.StartupProbe != nil {
			return false
		}
		for j := range c.Ports {
			if c.Ports[j].HostPort != 0 {
				return false
			}
		}
	}
	return true
}

func isZero(context *corev1.PodSecurityContext) bool {
	return context == nil || equality.Semantic.DeepEqual(context, &corev1.PodSecurityContext{})
}
