package random

import (
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
)

// requestConditions compile in webhooks and in policies. Some are errors for
// some requests: an absent field, a null object.
var requestConditions = []string{
	`request.operation != 'DELETE'`,
	`request.operation in ['CREATE', 'UPDATE']`,
	`request.userInfo.username != 'alice'`,
	`request.userInfo.username.startsWith('system:')`,
	`'dev' in request.userInfo.groups || 'ops' in request.userInfo.groups`,
	`!('system:serviceaccounts' in request.userInfo.groups)`,
	`!has(request.userInfo.uid)`,
	`!request.dryRun`,
	`request.dryRun || request.operation == 'CREATE'`,
	`has(request.name) && request.name.startsWith('web')`,
	`request.name != 'web-1'`,
	`!has(request.namespace) || request.namespace != 'default'`,
	`request.namespace.startsWith('n')`,
	`!has(request.subResource) || request.subResource != 'status'`,
	`request.subResource == 'scale'`,
	`request.kind.kind == request.requestKind.kind`,
	`request.kind.version == request.requestKind.version`,
	`request.requestKind.kind.endsWith('t')`,
	`request.resource.version == 'v1'`,
	`request.requestResource.resource != 'pods'`,
	`request.resource.group == request.requestResource.group`,
	`has(request.options)`,
	`has(request.options) && request.options.kind == 'CreateOptions'`,
	`!has(request.options) || request.options.?dryRun.orValue([]) == []`,
	`has(object.metadata.labels)`,
	`object.metadata.labels['app'] == 'web'`,
	`object != null && object.metadata.?labels.tier.orValue('') != 'gold'`,
	`object == null || object.metadata.?annotations.orValue({}).size() < 2`,
	`object.metadata.name.endsWith('1')`,
	`object == null || !has(object.metadata.generateName)`,
	`object == null || object.metadata.?namespace.orValue('') != ''`,
	`object != null && has(object.metadata.uid)`,
	`object == null || object.metadata.?generation.orValue(1) == 1`,
	`object == null || !has(object.metadata.deletionTimestamp)`,
	`object == null || !has(object.metadata.ownerReferences)`,
	`object == null || object.metadata.?finalizers.orValue([]).size() == 0`,
	`oldObject == null`,
	`oldObject == null || has(oldObject.metadata.labels)`,
	`oldObject != null && object != null && object.metadata.?labels.orValue({}) != oldObject.metadata.?labels.orValue({})`,
	`oldObject != null && oldObject.?spec.orValue({}) == object.?spec.orValue({})`,
	`object.kind == 'Pod' || object.kind == 'ConfigMap'`,
	`object != null && object.?apiVersion.orValue('') == 'v1'`,
	`object.?spec.?replicas.orValue(1) < 3`,
	`object.spec.replicas > 2`,
	`object != null && has(object.spec)`,
	`object == null || !has(object.status)`,
	`object == null || ['a', 'b'].exists(x, x in object.metadata.?annotations.orValue({}))`,
	`authorizer.requestResource.check('delete').allowed()`,
	`authorizer.requestResource.check('breakglass').allowed()`,
	`authorizer.group('').resource('secrets').namespace('kube-system').check('get').allowed()`,
	`authorizer.group('apps').resource('deployments').subresource('scale').namespace('default').check('update').reason() != ''`,
	`authorizer.path('/healthz').check('get').allowed()`,
	`authorizer.serviceAccount('kube-system', 'namespace-controller').group('').resource('pods').check('delete').allowed()`,
	`true`,
	`false`,
}

// policyConditions compile in policies alone.
var policyConditions = []string{
	`namespaceObject == null || namespaceObject.metadata.?labels.env.orValue('') != 'prod'`,
	`namespaceObject.metadata.name.startsWith('n')`,
	`has(namespaceObject.metadata.labels)`,
	`variables.labels.size() < 2`,
	`variables.replicas < 4`,
	`!variables.named || variables.labels == {}`,
}

// paramConditions read params, some of which may lack what is read.
var paramConditions = []string{
	`params != null`,
	`params == null || params.?data.mode.orValue('') != 'strict'`,
	`params.data['mode'] == 'lax'`,
	`variables.replicas <= int(params.data['max'])`,
	`params.metadata.name == 'params-a'`,
}

// sane keeps those who set up the cluster, who are in system:masters, out of a
// hook's reach.
const sane = `!('system:masters' in request.userInfo.groups)`

// conditions makes match conditions for a target, out of a pool and the kind's
// own.
func (g *Generator) conditions(t target, pool ...string) []admissionregistrationv1.MatchCondition {
	var conditions []admissionregistrationv1.MatchCondition
	add := func(expression string) {
		conditions = append(conditions, admissionregistrationv1.MatchCondition{Name: g.name("c") + ".example", Expression: expression})
	}
	if isWide(t.rules) {
		add(sane)
	}
	if g.chance(40) {
		return conditions
	}
	for range g.between(1, 3) {
		add(g.condition(t, pool...))
	}
	return conditions
}

func (g *Generator) condition(t target, pool ...string) string {
	if len(t.kind.conditions) > 0 && g.chance(30) {
		return pick(g, t.kind.conditions...)
	}
	return pick(g, slices.Concat(requestConditions, pool)...)
}
