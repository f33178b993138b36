package inventory

import "k8s.io/apimachinery/pkg/runtime/schema"

// The resources that the inventory knows by name.
var (
	namespaces      = schema.GroupResource{Resource: "namespaces"}
	nodes           = schema.GroupResource{Resource: "nodes"}
	pods            = schema.GroupResource{Resource: "pods"}
	services        = schema.GroupResource{Resource: "services"}
	serviceAccounts = schema.GroupResource{Resource: "serviceaccounts"}
	resourceQuotas  = schema.GroupResource{Resource: "resourcequotas"}
	limitRanges     = schema.GroupResource{Resource: "limitranges"}
	endpointSlices  = schema.GroupResource{Group: "discovery.k8s.io", Resource: "endpointslices"}

	deployments  = schema.GroupResource{Group: "apps", Resource: "deployments"}
	replicaSets  = schema.GroupResource{Group: "apps", Resource: "replicasets"}
	statefulSets = schema.GroupResource{Group: "apps", Resource: "statefulsets"}
	daemonSets   = schema.GroupResource{Group: "apps", Resource: "daemonsets"}

	mutatingConfigurations   = schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "mutatingwebhookconfigurations"}
	validatingConfigurations = schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations"}
	validatingPolicies       = schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "validatingadmissionpolicies"}
	validatingBindings       = schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "validatingadmissionpolicybindings"}
	mutatingPolicies         = schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "mutatingadmissionpolicies"}
	mutatingBindings         = schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "mutatingadmissionpolicybindings"}
	definitions              = schema.GroupResource{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}
	apiServices              = schema.GroupResource{Group: "apiregistration.k8s.io", Resource: "apiservices"}

	csiDrivers      = schema.GroupResource{Group: "storage.k8s.io", Resource: "csidrivers"}
	runtimeClasses  = schema.GroupResource{Group: "node.k8s.io", Resource: "runtimeclasses"}
	deviceClasses   = schema.GroupResource{Group: "resource.k8s.io", Resource: "deviceclasses"}
	ingressClasses  = schema.GroupResource{Group: "networking.k8s.io", Resource: "ingressclasses"}
	gatewayClasses  = schema.GroupResource{Group: "gateway.networking.k8s.io", Resource: "gatewayclasses"}
	networkPolicies = schema.GroupResource{Group: "networking.k8s.io", Resource: "networkpolicies"}
	priorityClasses = schema.GroupResource{Group: "scheduling.k8s.io", Resource: "priorityclasses"}

	clusterRoles        = schema.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "clusterroles"}
	clusterRoleBindings = schema.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "clusterrolebindings"}
	roles               = schema.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "roles"}
	roleBindings        = schema.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "rolebindings"}
	flowSchemas         = schema.GroupResource{Group: "flowcontrol.apiserver.k8s.io", Resource: "flowschemas"}
	priorityLevels      = schema.GroupResource{Group: "flowcontrol.apiserver.k8s.io", Resource: "prioritylevelconfigurations"}
)

// workloads are the resources that make pods.
var workloads = []schema.GroupResource{deployments, daemonSets, statefulSets, replicaSets}

// joiners are the resources whose objects never make an extension and join one
// by what they say about themselves.
var joiners = []schema.GroupResource{
	deployments, daemonSets, statefulSets, replicaSets,
	services, serviceAccounts, namespaces,
	clusterRoles, clusterRoleBindings, roles, roleBindings,
	resourceQuotas, limitRanges, networkPolicies, priorityClasses, flowSchemas, priorityLevels,
}

// callResources are those that tell who calls an extension: the objects that
// can make the API server call a backend, and the Services that connect them
// with workloads. Where one of them cannot be seen, an extension may be called
// in ways that do not show.
var callResources = []schema.GroupResource{mutatingConfigurations, validatingConfigurations, definitions, apiServices, services}
