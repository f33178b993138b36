package outage_test

import (
	"fmt"
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// worldChange is one kind of change.
type worldChange struct {
	what string
	do   func(*world)
}

var worldChanges = []worldChange{
	{"a webhook", (*world).changeWebhook}, {"a webhook", (*world).changeWebhook}, {"a webhook", (*world).deleteWebhook}, {"a webhook", (*world).narrowWebhook},
	{"a webhook", (*world).narrowWebhook}, {"a mutating policy", (*world).changeMutatingPolicy}, {"a probe", (*world).changeProbe}, {"a gap", (*world).changeGap},
	{"a namespace", (*world).changeNamespace}, {"a namespace", (*world).addNamespace},
	{"a policy", (*world).changePolicy}, {"params", (*world).changeParams},
	{"a workload", (*world).changeWorkload}, {"a workload", func(w *world) { w.putServer(pick(w, w.namespaces).Name) }},
	{"a service", (*world).changeService}, {"pods", (*world).changePods}, {"endpoints", (*world).changeEndpoints},
	{"a node", (*world).changeNode}, {"a lease", (*world).changeLease}, {"a role", (*world).changeRole}, {"an extension", (*world).changeExtension},
}

func (w *world) change() string {
	c := pick(w, worldChanges)
	c.do(w)
	return c.what
}

func (w *world) changeWebhook() {
	i := w.rand.IntN(len(w.spare.MutatingWebhooks))
	if w.chance(50) {
		w.putMutating(w.spare.MutatingWebhooks[i])
	} else {
		w.putValidating(w.spare.ValidatingWebhooks[i])
	}
}

func (w *world) deleteWebhook() {
	for one := range w.builder.Snapshot().ValidatingWebhookConfigurations().All() {
		w.builder.Delete(schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations"}, "", one.Name)
		return
	}
}

// narrowWebhook changes what a webhook is asked for a little.
func (w *world) narrowWebhook() {
	if w.chance(50) {
		if c := pick(w, slices.Collect(w.builder.Snapshot().MutatingWebhookConfigurations().All())).DeepCopy(); len(c.Webhooks) > 0 {
			one := &c.Webhooks[w.rand.IntN(len(c.Webhooks))]
			w.narrow(&one.FailurePolicy, &one.NamespaceSelector, &one.ObjectSelector, &one.MatchConditions, &one.ClientConfig)
			w.put("admissionregistration.k8s.io", "mutatingwebhookconfigurations", c)
		}
		return
	}
	all := slices.Collect(w.builder.Snapshot().ValidatingWebhookConfigurations().All())
	if len(all) == 0 {
		return
	}
	if c := pick(w, all).DeepCopy(); len(c.Webhooks) > 0 {
		one := &c.Webhooks[w.rand.IntN(len(c.Webhooks))]
		w.narrow(&one.FailurePolicy, &one.NamespaceSelector, &one.ObjectSelector, &one.MatchConditions, &one.ClientConfig)
		w.put("admissionregistration.k8s.io", "validatingwebhookconfigurations", c)
	}
}

func (w *world) narrow(policy **admissionregistrationv1.FailurePolicyType, namespaces, objects **metav1.LabelSelector, conditions *[]admissionregistrationv1.MatchCondition, client *admissionregistrationv1.WebhookClientConfig) {
	switch w.rand.IntN(7) {
	case 0:
		*policy = w.policy()
	case 1:
		*namespaces = &metav1.LabelSelector{MatchLabels: map[string]string{"env": pick(w, []string{"prod", "dev"})}}
	case 2:
		*objects = &metav1.LabelSelector{MatchLabels: map[string]string{"app": pick(w, []string{"web", "db"})}}
	case 3:
		key := pick(w, []string{"pod-template-hash", "tier", "changed-by", "changed-by", corev1.LabelTopologyZone})
		*objects = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: key, Operator: pick(w, []metav1.LabelSelectorOperator{metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist})}}}
	case 4:
		*conditions = []admissionregistrationv1.MatchCondition{{Name: "one", Expression: pick(w, []string{"false", "request.userInfo.username != 'nobody'", "object.metadata.labels['tier'] == 'gold'"})}}
	case 5:
		*client = w.client()
	default:
		client.CABundle = []byte{byte(w.rand.IntN(256))}
	}
}

// changeMutatingPolicy has a policy change the labels of pods, which selectors
// of webhooks then see, or takes it away.
func (w *world) changeMutatingPolicy() {
	name := pick(w, []string{"one", "two"})
	if w.chance(40) {
		w.builder.Delete(schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "mutatingadmissionpolicies"}, "", name)
		return
	}
	w.put("admissionregistration.k8s.io", "mutatingadmissionpolicies", &admissionregistrationv1.MutatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.MutatingAdmissionPolicySpec{
			MatchConstraints: &admissionregistrationv1.MatchResources{ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{RuleWithOperations: admissionregistrationv1.RuleWithOperations{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}}}},
			ReinvocationPolicy: admissionregistrationv1.NeverReinvocationPolicy,
			Mutations: []admissionregistrationv1.Mutation{{PatchType: admissionregistrationv1.PatchTypeApplyConfiguration, ApplyConfiguration: &admissionregistrationv1.ApplyConfiguration{
				Expression: fmt.Sprintf("Object{metadata: Object.metadata{labels: {'changed-by': '%s', 'app': '%s'}}}", name, pick(w, []string{"web", "db"})),
			}}},
		},
	})
	w.put("admissionregistration.k8s.io", "mutatingadmissionpolicybindings", &admissionregistrationv1.MutatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: admissionregistrationv1.MutatingAdmissionPolicyBindingSpec{PolicyName: name},
	})
}

// changeProbe has a probe find out something else about a backend.
func (w *world) changeProbe() {
	name := pick(w, w.observed().Inventory.Backends).Name
	delete(w.probed, name)
	switch w.rand.IntN(3) {
	case 0:
		w.probed[name] = extant.BackendStatus{Available: metav1.ConditionFalse, Reason: extant.BackendConnectFailed}
	case 1:
		w.probed[name] = extant.BackendStatus{Available: metav1.ConditionUnknown, Reason: extant.BackendConnectFailed}
	}
}

// changeGap has a resource be forbidden, or none again.
func (w *world) changeGap() {
	resources := []string{
		"services", "endpointslices.discovery.k8s.io", "pods", "resourcequotas", "nodes", "namespaces", "rolebindings.rbac.authorization.k8s.io",
		"mutatingwebhookconfigurations.admissionregistration.k8s.io", "deployments.apps",
	}
	for _, resource := range resources {
		w.builder.SetGaps(resource)
	}
	if w.chance(30) {
		w.builder.SetGaps(pick(w, resources), cluster.Gap{Reason: cluster.GapForbidden})
	}
}

func (w *world) changeNamespace() {
	namespace := pick(w, w.namespaces).DeepCopy()
	namespace.Labels = map[string]string{
		"env": pick(w, []string{"prod", "dev"}), "team": pick(w, []string{"red", "blue"}), "pod-security.kubernetes.io/enforce": pick(w, []string{"privileged", "restricted"}),
	}
	w.put("", "namespaces", namespace)
}

func (w *world) addNamespace() {
	w.made++
	w.put("", "namespaces", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("more-%d", w.made), Labels: map[string]string{"env": "prod"}}})
}

func (w *world) changePolicy() {
	p := pick(w, w.spare.ValidatingPolicies).DeepCopy()
	if w.chance(50) {
		rule := &p.Spec.MatchConstraints.ResourceRules[0].RuleWithOperations
		*rule = w.rules([]admissionregistrationv1.RuleWithOperations{*rule})[0]
		p.Spec.MatchConditions, p.Spec.ParamKind = nil, nil
		p.Spec.Validations = []admissionregistrationv1.Validation{{Expression: pick(w, []string{"false", "true", "request.namespace.endsWith('r')"})}}
	}
	w.putPolicy(p, []*admissionregistrationv1.ValidatingAdmissionPolicyBinding{{
		ObjectMeta: metav1.ObjectMeta{Name: p.Name},
		Spec:       admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: p.Name, ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny}},
	}})
}

func (w *world) changeParams() { w.setParams(w.spare.Params[:w.rand.IntN(len(w.spare.Params)+1)]) }

func (w *world) changeWorkload() {
	deployment := pick(w, slices.Collect(w.builder.Snapshot().Deployments().All())).DeepCopy()
	switch w.rand.IntN(4) {
	case 0:
		deployment.Spec.Template.Labels["tier"] = pick(w, []string{"gold", "silver"})
	case 1:
		deployment.Spec.Template.Spec.HostNetwork = !deployment.Spec.Template.Spec.HostNetwork
	case 2:
		deployment.Spec.Template.Spec.SchedulerName = pick(w, []string{"", "mine"})
	default:
		w.builder.Delete(schema.GroupResource{Group: "apps", Resource: "deployments"}, deployment.Namespace, deployment.Name)
		return
	}
	w.put("apps", "deployments", deployment)
}

func (w *world) changeService() {
	at := pick(w, w.services)
	service, ok := w.builder.Snapshot().Services().Get(at[0], at[1])
	if !ok || w.chance(40) {
		w.builder.Delete(schema.GroupResource{Resource: "services"}, at[0], at[1])
		return
	}
	service = service.DeepCopy()
	service.Spec.Selector = map[string]string{"app": pick(w, []string{"web", "db"})}
	w.put("", "services", service)
}

func (w *world) changePods() {
	at := pick(w, w.services)
	if w.chance(50) {
		w.builder.Delete(schema.GroupResource{Resource: "pods"}, at[0], at[1]+"-1-a")
		return
	}
	w.putPod(at[0], at[1], map[string]string{"serves": at[1], "app": pick(w, []string{"web", "db"})})
}

func (w *world) changeEndpoints() {
	at := pick(w, w.services)
	w.putEndpoints(at[0], at[1], w.chance(50))
}

func (w *world) changeNode() {
	name := fmt.Sprintf("node-%d", w.rand.IntN(3))
	if w.chance(30) {
		w.builder.Delete(schema.GroupResource{Resource: "nodes"}, "", name)
		return
	}
	w.put("", "nodes", &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": pick(w, []string{"web", "db"}), corev1.LabelTopologyZone: pick(w, []string{"a", "b"})}}})
}

func (w *world) changeLease() {
	w.put("coordination.k8s.io", "leases", &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
		Namespace: "kube-system", Name: pick(w, []string{"kube-scheduler", "kube-controller-manager"}), Labels: map[string]string{"app": pick(w, []string{"web", "db"})},
	}})
}

func (w *world) changeRole() {
	w.put("rbac.authorization.k8s.io", "clusterrolebindings", binding("all", pick(w, []string{"system:authenticated", "nobody"})))
	w.put("rbac.authorization.k8s.io", "rolebindings", &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: pick(w, w.namespaces).Name, Name: "all"}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "all"},
		Subjects: []rbacv1.Subject{{Kind: "Group", Name: pick(w, []string{"system:authenticated", "nobody"})}},
	})
}

// changeExtension has people say what a workload provides and needs.
func (w *world) changeExtension() {
	at := pick(w, w.services)
	w.extensions = []*extant.Extension{{
		ObjectMeta: metav1.ObjectMeta{Name: "said", Labels: map[string]string{extant.LabelOrigin: extant.OriginDeclared}},
		Spec: extant.ExtensionSpec{
			Components: []extant.ObjectReference{{Group: "apps", Resource: "deployments", Namespace: at[0], Name: at[1]}},
			Provides:   []string{pick(w, []string{"PodNetwork", "ServiceNetwork", "Scheduling"})},
			Needs: []extant.Need{{
				Workload:   extant.ObjectReference{Group: "apps", Resource: "deployments", Namespace: at[0], Name: at[1]},
				Operations: []extant.Operation{{Operation: "CREATE", Resource: "configmaps", Namespace: pick(w, w.namespaces).Name}},
			}},
		},
	}}
	if w.chance(30) {
		w.extensions[0].Spec.Needs = nil
	}
}
