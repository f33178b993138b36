package synthetic

import (
	"fmt"
	"iter"
	"slices"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// systemNamespaces come besides the namespaces of teams.
var systemNamespaces = []string{"default", "kube-system", "kube-public", "kube-node-lease", "platform"}

func (s Size) namespaceNames() []string {
	names := slices.Clone(systemNamespaces)
	for i := range s.Namespaces - len(systemNamespaces) {
		names = append(names, s.namespace(i))
	}
	return names
}

func (s Size) namespaces() iter.Seq[runtime.Object] {
	names := s.namespaceNames()
	return generate(len(names), func(i int) *corev1.Namespace {
		return &corev1.Namespace{
			ObjectMeta: metadata("", names[i], map[string]string{
				corev1.LabelMetadataName: names[i], "team": fmt.Sprintf("team-%d", i%200), "pod-security.kubernetes.io/enforce": "baseline",
			}, nil),
			Spec:   corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}},
			Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive},
		}
	})
}

func (s Size) serviceAccounts() iter.Seq[runtime.Object] {
	names := s.namespaceNames()
	return generate(len(names), func(i int) *corev1.ServiceAccount {
		return &corev1.ServiceAccount{ObjectMeta: metadata(names[i], "default", nil, nil)}
	})
}

func (s Size) resourceQuotas() iter.Seq[runtime.Object] {
	return generate(s.Namespaces, func(i int) *corev1.ResourceQuota {
		return &corev1.ResourceQuota{
			ObjectMeta: metadata(s.namespace(i), "compute", nil, nil),
			Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("100")}},
			Status: corev1.ResourceQuotaStatus{
				Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("100")},
				Used: corev1.ResourceList{corev1.ResourcePods: resource.MustParse(fmt.Sprint(i % 100))},
			},
		}
	})
}

func (s Size) networkPolicies() iter.Seq[runtime.Object] {
	return generate(s.Namespaces/2, func(i int) *networkingv1.NetworkPolicy {
		return &networkingv1.NetworkPolicy{
			ObjectMeta: metadata(s.namespace(i), "default-deny", nil, nil),
			Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}},
		}
	})
}

func (s Size) roleBindings() iter.Seq[runtime.Object] {
	return generate(s.Namespaces, func(i int) *rbacv1.RoleBinding {
		return &rbacv1.RoleBinding{
			ObjectMeta: metadata(s.namespace(i), "team-edit", nil, nil),
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: fmt.Sprintf("team-%d", i%200)}},
		}
	})
}

func (s Size) clusterRoles() iter.Seq[runtime.Object] {
	return generate(s.Definitions/4, func(i int) *rbacv1.ClusterRole {
		role := &rbacv1.ClusterRole{ObjectMeta: metadata("", fmt.Sprintf("operator-%d", i), map[string]string{"app.kubernetes.io/managed-by": "Helm"}, nil)}
		for k := range 6 {
			role.Rules = append(role.Rules, rbacv1.PolicyRule{
				APIGroups: []string{fmt.Sprintf("group%d.example.com", (i+k)%200)}, Resources: []string{"*"}, Verbs: []string{"get", "list", "watch", "create", "update", "patch", "delete"},
			})
		}
		return role
	})
}

func (s Size) node(i int) string {
	return fmt.Sprintf("node-%05d.eu-west-1.compute.internal", i%s.Nodes)
}

func zone(i int) string { return fmt.Sprintf("eu-west-1%c", 'a'+rune(i%3)) }

func (s Size) nodes() iter.Seq[runtime.Object] {
	return generate(s.Nodes, func(i int) *corev1.Node {
		name := s.node(i)
		amounts := corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("31850m"), corev1.ResourceMemory: resource.MustParse("126800504Ki"),
			corev1.ResourcePods: resource.MustParse("110"), corev1.ResourceEphemeralStorage: resource.MustParse("95491281146"),
		}
		node := &corev1.Node{
			ObjectMeta: metadata("", name, map[string]string{
				corev1.LabelHostname: name, corev1.LabelArchStable: "amd64", corev1.LabelOSStable: "linux",
				corev1.LabelTopologyZone: zone(i), corev1.LabelTopologyRegion: "eu-west-1", corev1.LabelInstanceTypeStable: "m7i.8xlarge",
				"node.example.com/pool": fmt.Sprintf("pool-%d", i%20), "node.example.com/lifecycle": "on-demand",
			}, map[string]string{"csi.volume.kubernetes.io/nodeid": `{"ebs.csi.aws.com":"i-0123456789abcdef0"}`, "volumes.kubernetes.io/controller-managed-attach-detach": "true"}),
			Spec: corev1.NodeSpec{PodCIDR: fmt.Sprintf("10.%d.%d.0/24", i>>8, i&0xff), ProviderID: "aws:///" + zone(i) + "/i-0123456789abcdef0"},
			Status: corev1.NodeStatus{
				Capacity: amounts, Allocatable: amounts,
				Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("172.16.%d.%d", i>>8, i&0xff)}, {Type: corev1.NodeHostName, Address: name}},
				NodeInfo: corev1.NodeSystemInfo{
					MachineID: string(uid(name)), SystemUUID: string(uid(name, "system")), BootID: string(uid(name, "boot")), KernelVersion: "6.12.40", OSImage: "Bottlerocket OS 1.46",
					ContainerRuntimeVersion: "containerd://2.1.4", KubeletVersion: "v1.37.2", OperatingSystem: "linux", Architecture: "amd64",
				},
			},
		}
		for _, condition := range []corev1.NodeConditionType{corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure, corev1.NodeReady} {
			node.Status.Conditions = append(node.Status.Conditions, corev1.NodeCondition{
				Type: condition, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status",
				LastHeartbeatTime: metav1.NewTime(created), LastTransitionTime: metav1.NewTime(created),
			})
		}
		for k := range 50 {
			image := fmt.Sprintf("registry.example.com/shop/image-%d", k)
			node.Status.Images = append(node.Status.Images, corev1.ContainerImage{Names: []string{image + "@sha256:" + fmt.Sprintf("%064x", k), image + ":4.2.1"}, SizeBytes: 100_000_000})
		}
		return node
	})
}

func (s Size) leases() iter.Seq[runtime.Object] {
	return generate(s.Nodes, func(i int) *coordinationv1.Lease {
		renewed := metav1.NewMicroTime(created)
		lease := &coordinationv1.Lease{
			ObjectMeta: metadata(corev1.NamespaceNodeLease, s.node(i), nil, nil),
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: new(s.node(i)), LeaseDurationSeconds: new(int32(40)), RenewTime: &renewed},
		}
		lease.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: s.node(i), UID: uid("", s.node(i))}}
		return lease
	})
}

func (s Size) csiNodes() iter.Seq[runtime.Object] {
	return generate(s.Nodes, func(i int) *storagev1.CSINode {
		node := &storagev1.CSINode{
			ObjectMeta: metadata("", s.node(i), nil, nil),
			Spec:       storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{{Name: "ebs.csi.aws.com", NodeID: "i-0123456789abcdef0", TopologyKeys: []string{corev1.LabelTopologyZone}}}},
		}
		node.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: s.node(i), UID: uid("", s.node(i))}}
		return node
	})
}
