package cluster

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

// Namespaces returns the table of that resource.
func (s *Snapshot) Namespaces() Table[*corev1.Namespace] {
	return tableOf[*corev1.Namespace](s, schema.GroupResource{Group: "", Resource: "namespaces"})
}

// Nodes returns the table of that resource.
func (s *Snapshot) Nodes() Table[*corev1.Node] {
	return tableOf[*corev1.Node](s, schema.GroupResource{Group: "", Resource: "nodes"})
}

// Pods returns the table of that resource.
func (s *Snapshot) Pods() Table[*Pod] {
	return tableOf[*Pod](s, schema.GroupResource{Group: "", Resource: "pods"})
}

// Services returns the table of that resource.
func (s *Snapshot) Services() Table[*corev1.Service] {
	return tableOf[*corev1.Service](s, schema.GroupResource{Group: "", Resource: "services"})
}

// ServiceAccounts returns the table of that resource.
func (s *Snapshot) ServiceAccounts() Table[*corev1.ServiceAccount] {
	return tableOf[*corev1.ServiceAccount](s, schema.GroupResource{Group: "", Resource: "serviceaccounts"})
}

// PersistentVolumes returns the table of that resource.
func (s *Snapshot) PersistentVolumes() Table[*corev1.PersistentVolume] {
	return tableOf[*corev1.PersistentVolume](s, schema.GroupResource{Group: "", Resource: "persistentvolumes"})
}

// PersistentVolumeClaims returns the table of that resource.
func (s *Snapshot) PersistentVolumeClaims() Table[*corev1.PersistentVolumeClaim] {
	return tableOf[*corev1.PersistentVolumeClaim](s, schema.GroupResource{Group: "", Resource: "persistentvolumeclaims"})
}

// ResourceQuotas returns the table of that resource.
func (s *Snapshot) ResourceQuotas() Table[*corev1.ResourceQuota] {
	return tableOf[*corev1.ResourceQuota](s, schema.GroupResource{Group: "", Resource: "resourcequotas"})
}

// LimitRanges returns the table of that resource.
func (s *Snapshot) LimitRanges() Table[*Metadata] {
	return tableOf[*Metadata](s, schema.GroupResource{Group: "", Resource: "limitranges"})
}

// EndpointSlices returns the table of that resource.
func (s *Snapshot) EndpointSlices() Table[*discoveryv1.EndpointSlice] {
	return tableOf[*discoveryv1.EndpointSlice](s, schema.GroupResource{Group: "discovery.k8s.io", Resource: "endpointslices"})
}

// Leases returns the table of that resource.
func (s *Snapshot) Leases() Table[*coordinationv1.Lease] {
	return tableOf[*coordinationv1.Lease](s, schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"})
}

// Deployments returns the table of that resource.
func (s *Snapshot) Deployments() Table[*appsv1.Deployment] {
	return tableOf[*appsv1.Deployment](s, schema.GroupResource{Group: "apps", Resource: "deployments"})
}

// ReplicaSets returns the table of that resource. Those of Deployments are new
// objects at each look: compare them by name.
func (s *Snapshot) ReplicaSets() Table[*appsv1.ReplicaSet] {
	return tableOf[*appsv1.ReplicaSet](s, schema.GroupResource{Group: "apps", Resource: "replicasets"})
}

// StatefulSets returns the table of that resource.
func (s *Snapshot) StatefulSets() Table[*appsv1.StatefulSet] {
	return tableOf[*appsv1.StatefulSet](s, schema.GroupResource{Group: "apps", Resource: "statefulsets"})
}

// DaemonSets returns the table of that resource.
func (s *Snapshot) DaemonSets() Table[*appsv1.DaemonSet] {
	return tableOf[*appsv1.DaemonSet](s, schema.GroupResource{Group: "apps", Resource: "daemonsets"})
}

// Jobs returns the table of that resource. Those that are finished are new
// objects at each look: compare them by name.
func (s *Snapshot) Jobs() Table[*batchv1.Job] {
	return tableOf[*batchv1.Job](s, schema.GroupResource{Group: "batch", Resource: "jobs"})
}

// PodDisruptionBudgets returns the table of that resource.
func (s *Snapshot) PodDisruptionBudgets() Table[*policyv1.PodDisruptionBudget] {
	return tableOf[*policyv1.PodDisruptionBudget](s, schema.GroupResource{Group: "policy", Resource: "poddisruptionbudgets"})
}

// MutatingWebhookConfigurations returns the table of that resource.
func (s *Snapshot) MutatingWebhookConfigurations() Table[*admissionregistrationv1.MutatingWebhookConfiguration] {
	return tableOf[*admissionregistrationv1.MutatingWebhookConfiguration](s, schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "mutatingwebhookconfigurations"})
}

// ValidatingWebhookConfigurations returns the table of that resource.
func (s *Snapshot) ValidatingWebhookConfigurations() Table[*admissionregistrationv1.ValidatingWebhookConfiguration] {
	return tableOf[*admissionregistrationv1.ValidatingWebhookConfiguration](s, schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations"})
}

// ValidatingAdmissionPolicies returns the table of that resource.
func (s *Snapshot) ValidatingAdmissionPolicies() Table[*admissionregistrationv1.ValidatingAdmissionPolicy] {
	return tableOf[*admissionregistrationv1.ValidatingAdmissionPolicy](s, schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "validatingadmissionpolicies"})
}

// ValidatingAdmissionPolicyBindings returns the table of that resource.
func (s *Snapshot) ValidatingAdmissionPolicyBindings() Table[*admissionregistrationv1.ValidatingAdmissionPolicyBinding] {
	return tableOf[*admissionregistrationv1.ValidatingAdmissionPolicyBinding](s, schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "validatingadmissionpolicybindings"})
}

// MutatingAdmissionPolicies returns the table of that resource.
func (s *Snapshot) MutatingAdmissionPolicies() Table[*admissionregistrationv1.MutatingAdmissionPolicy] {
	return tableOf[*admissionregistrationv1.MutatingAdmissionPolicy](s, schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "mutatingadmissionpolicies"})
}

// MutatingAdmissionPolicyBindings returns the table of that resource.
func (s *Snapshot) MutatingAdmissionPolicyBindings() Table[*admissionregistrationv1.MutatingAdmissionPolicyBinding] {
	return tableOf[*admissionregistrationv1.MutatingAdmissionPolicyBinding](s, schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "mutatingadmissionpolicybindings"})
}

// CustomResourceDefinitions returns the table of that resource.
func (s *Snapshot) CustomResourceDefinitions() Table[*apiextensionsv1.CustomResourceDefinition] {
	return tableOf[*apiextensionsv1.CustomResourceDefinition](s, schema.GroupResource{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"})
}

// APIServices returns the table of that resource.
func (s *Snapshot) APIServices() Table[*apiregistrationv1.APIService] {
	return tableOf[*apiregistrationv1.APIService](s, schema.GroupResource{Group: "apiregistration.k8s.io", Resource: "apiservices"})
}

// CSIDrivers returns the table of that resource.
func (s *Snapshot) CSIDrivers() Table[*storagev1.CSIDriver] {
	return tableOf[*storagev1.CSIDriver](s, schema.GroupResource{Group: "storage.k8s.io", Resource: "csidrivers"})
}

// CSINodes returns the table of that resource.
func (s *Snapshot) CSINodes() Table[*storagev1.CSINode] {
	return tableOf[*storagev1.CSINode](s, schema.GroupResource{Group: "storage.k8s.io", Resource: "csinodes"})
}

// StorageClasses returns the table of that resource.
func (s *Snapshot) StorageClasses() Table[*storagev1.StorageClass] {
	return tableOf[*storagev1.StorageClass](s, schema.GroupResource{Group: "storage.k8s.io", Resource: "storageclasses"})
}

// VolumeAttachments returns the table of that resource.
func (s *Snapshot) VolumeAttachments() Table[*storagev1.VolumeAttachment] {
	return tableOf[*storagev1.VolumeAttachment](s, schema.GroupResource{Group: "storage.k8s.io", Resource: "volumeattachments"})
}

// RuntimeClasses returns the table of that resource.
func (s *Snapshot) RuntimeClasses() Table[*nodev1.RuntimeClass] {
	return tableOf[*nodev1.RuntimeClass](s, schema.GroupResource{Group: "node.k8s.io", Resource: "runtimeclasses"})
}

// DeviceClasses returns the table of that resource.
func (s *Snapshot) DeviceClasses() Table[*resourcev1.DeviceClass] {
	return tableOf[*resourcev1.DeviceClass](s, schema.GroupResource{Group: "resource.k8s.io", Resource: "deviceclasses"})
}

// ResourceSlices returns the table of that resource.
func (s *Snapshot) ResourceSlices() Table[*resourcev1.ResourceSlice] {
	return tableOf[*resourcev1.ResourceSlice](s, schema.GroupResource{Group: "resource.k8s.io", Resource: "resourceslices"})
}

// IngressClasses returns the table of that resource.
func (s *Snapshot) IngressClasses() Table[*networkingv1.IngressClass] {
	return tableOf[*networkingv1.IngressClass](s, schema.GroupResource{Group: "networking.k8s.io", Resource: "ingressclasses"})
}

// GatewayClasses returns the table of that resource.
func (s *Snapshot) GatewayClasses() Table[*unstructured.Unstructured] {
	return tableOf[*unstructured.Unstructured](s, schema.GroupResource{Group: "gateway.networking.k8s.io", Resource: "gatewayclasses"})
}

// PriorityClasses returns the table of that resource.
func (s *Snapshot) PriorityClasses() Table[*schedulingv1.PriorityClass] {
	return tableOf[*schedulingv1.PriorityClass](s, schema.GroupResource{Group: "scheduling.k8s.io", Resource: "priorityclasses"})
}

// ClusterRoles returns the table of that resource.
func (s *Snapshot) ClusterRoles() Table[*rbacv1.ClusterRole] {
	return tableOf[*rbacv1.ClusterRole](s, schema.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "clusterroles"})
}

// ClusterRoleBindings returns the table of that resource.
func (s *Snapshot) ClusterRoleBindings() Table[*rbacv1.ClusterRoleBinding] {
	return tableOf[*rbacv1.ClusterRoleBinding](s, schema.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "clusterrolebindings"})
}

// Roles returns the table of that resource.
func (s *Snapshot) Roles() Table[*rbacv1.Role] {
	return tableOf[*rbacv1.Role](s, schema.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "roles"})
}

// RoleBindings returns the table of that resource.
func (s *Snapshot) RoleBindings() Table[*rbacv1.RoleBinding] {
	return tableOf[*rbacv1.RoleBinding](s, schema.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "rolebindings"})
}

// NetworkPolicies returns the table of that resource.
func (s *Snapshot) NetworkPolicies() Table[*Metadata] {
	return tableOf[*Metadata](s, schema.GroupResource{Group: "networking.k8s.io", Resource: "networkpolicies"})
}

// FlowSchemas returns the table of that resource.
func (s *Snapshot) FlowSchemas() Table[*Metadata] {
	return tableOf[*Metadata](s, schema.GroupResource{Group: "flowcontrol.apiserver.k8s.io", Resource: "flowschemas"})
}

// PriorityLevelConfigurations returns the table of that resource.
func (s *Snapshot) PriorityLevelConfigurations() Table[*Metadata] {
	return tableOf[*Metadata](s, schema.GroupResource{Group: "flowcontrol.apiserver.k8s.io", Resource: "prioritylevelconfigurations"})
}
