package synthetic

import (
	"fmt"
	"iter"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// workload is the identity of a workload that owns pods.
type workload struct {
	index           int
	namespace, name string
	pods            int
}

func (s Size) workload(i int) workload {
	return workload{index: i, namespace: s.namespace(i), name: fmt.Sprintf("%s-%d", components[i%len(components)], i), pods: s.PodsPerDeployment + i%2}
}

var components = []string{"frontend", "checkout", "inventory", "payments", "search", "recommendation", "worker", "gateway"}

func (s Size) namespace(i int) string { return fmt.Sprintf("team-%05d", i%s.Namespaces) }

// selector are the labels that select the workload's pods.
func (w workload) selector() map[string]string {
	return map[string]string{"app.kubernetes.io/name": components[w.index%len(components)], "app.kubernetes.io/instance": w.name}
}

func (w workload) labels() map[string]string {
	labels := w.selector()
	maps.Copy(labels, map[string]string{
		"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/part-of": "shop", "app.kubernetes.io/version": "4.2.1",
		"helm.sh/chart": "service-1.8.3",
	})
	return labels
}

func (w workload) podLabels(hash string) map[string]string {
	labels := w.labels()
	labels["pod-template-hash"] = hash
	return labels
}

func (w workload) hash() string       { return suffix(w.name, 10) }
func (w workload) replicaSet() string { return w.name + "-" + w.hash() }
func (w workload) pod(j int) string {
	return w.replicaSet() + "-" + suffix(fmt.Sprintf("%s/%d", w.name, j), 5)
}
func (w workload) address(j int) string {
	n := w.index*8 + j
	return fmt.Sprintf("10.%d.%d.%d", n>>16&0xff, n>>8&0xff, n&0xff)
}

func (s Size) deployments() iter.Seq[runtime.Object] {
	return generate(s.Deployments, func(i int) *appsv1.Deployment {
		w := s.workload(i)
		replicas := int32(w.pods)
		return &appsv1.Deployment{
			ObjectMeta: metadata(w.namespace, w.name, w.labels(), map[string]string{
				"deployment.kubernetes.io/revision": "3", "meta.helm.sh/release-name": w.name, "meta.helm.sh/release-namespace": w.namespace,
			}),
			Spec: appsv1.DeploymentSpec{
				Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: w.selector()},
				Template:             corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: w.labels()}, Spec: podSpec(w)},
				Strategy:             appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType},
				RevisionHistoryLimit: new(int32(10)), ProgressDeadlineSeconds: new(int32(600)),
			},
			Status: appsv1.DeploymentStatus{
				ObservedGeneration: 1, Replicas: replicas, UpdatedReplicas: replicas, ReadyReplicas: replicas, AvailableReplicas: replicas,
				Conditions: []appsv1.DeploymentCondition{
					{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, LastUpdateTime: metav1.NewTime(created), LastTransitionTime: metav1.NewTime(created), Reason: "MinimumReplicasAvailable", Message: "Deployment has minimum availability."},
					{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, LastUpdateTime: metav1.NewTime(created), LastTransitionTime: metav1.NewTime(created), Reason: "NewReplicaSetAvailable", Message: fmt.Sprintf("ReplicaSet %q has successfully progressed.", w.replicaSet())},
				},
			},
		}
	})
}

func (s Size) replicaSets() iter.Seq[runtime.Object] {
	return func(yield func(runtime.Object) bool) {
		for i := range s.Deployments {
			w := s.workload(i)
			if !yield(replicaSet(w, w.hash(), int32(w.pods))) {
				return
			}
			if i%2 == 0 && !yield(replicaSet(w, suffix(w.name+"/earlier", 10), 0)) {
				return
			}
		}
	}
}

func replicaSet(w workload, hash string, replicas int32) *appsv1.ReplicaSet {
	selector := w.selector()
	selector["pod-template-hash"] = hash
	set := &appsv1.ReplicaSet{
		ObjectMeta: metadata(w.namespace, w.name+"-"+hash, w.podLabels(hash), map[string]string{
			"deployment.kubernetes.io/desired-replicas": "6", "deployment.kubernetes.io/max-replicas": "8", "deployment.kubernetes.io/revision": "3",
			"meta.helm.sh/release-name": w.name, "meta.helm.sh/release-namespace": w.namespace,
		}),
		Spec: appsv1.ReplicaSetSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: selector},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: w.podLabels(hash)}, Spec: podSpec(w)},
		},
		Status: appsv1.ReplicaSetStatus{Replicas: replicas, FullyLabeledReplicas: replicas, ReadyReplicas: replicas, AvailableReplicas: replicas, TerminatingReplicas: new(int32(0)), ObservedGeneration: 1},
	}
	set.OwnerReferences = controlledBy("apps/v1", "Deployment", w.namespace, w.name)
	return set
}

func (s Size) daemonSets() iter.Seq[runtime.Object] {
	return generate(s.DaemonSets, func(i int) *appsv1.DaemonSet {
		w := agent(i)
		n := int32(s.Nodes)
		return &appsv1.DaemonSet{
			ObjectMeta: metadata(w.namespace, w.name, w.labels(), nil),
			Spec: appsv1.DaemonSetSpec{
				Selector: &metav1.LabelSelector{MatchLabels: w.selector()},
				Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: w.labels()}, Spec: podSpec(w)},
			},
			Status: appsv1.DaemonSetStatus{CurrentNumberScheduled: n, DesiredNumberScheduled: n, NumberReady: n, UpdatedNumberScheduled: n, NumberAvailable: n, ObservedGeneration: 1},
		}
	})
}

func agent(i int) workload {
	return workload{index: i, namespace: "kube-system", name: fmt.Sprintf("node-agent-%d", i)}
}

func (s Size) pods() iter.Seq[runtime.Object] {
	return func(yield func(runtime.Object) bool) {
		for i := range s.Deployments {
			w := s.workload(i)
			for j := range w.pods {
				p := pod(w, w.pod(j), w.podLabels(w.hash()), s.node(i*7+j), w.address(j))
				p.OwnerReferences = controlledBy("apps/v1", "ReplicaSet", w.namespace, w.replicaSet())
				if !yield(p) {
					return
				}
			}
		}
		for i := range s.DaemonSets {
			w := agent(i)
			for n := range s.Nodes {
				labels := w.labels()
				labels["controller-revision-hash"] = suffix(w.name, 10)
				p := pod(w, w.name+"-"+suffix(fmt.Sprintf("%d/%d", i, n), 5)+fmt.Sprint(n), labels, s.node(n), w.address(n%8))
				p.OwnerReferences = controlledBy("apps/v1", "DaemonSet", w.namespace, w.name)
				if !yield(p) {
					return
				}
			}
		}
	}
}

func pod(w workload, name string, labels map[string]string, node, address string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metadata(w.namespace, name, labels, map[string]string{"checksum/config": suffix(w.name+"/config", 13)}), Spec: podSpec(w)}
	p.GenerateName = w.replicaSet() + "-"
	p.Spec.NodeName = node
	started := metav1.NewTime(created)
	p.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: address, PodIPs: []corev1.PodIP{{IP: address}}, HostIP: "172.16.0.1", HostIPs: []corev1.HostIP{{IP: "172.16.0.1"}},
		StartTime: &started, QOSClass: corev1.PodQOSBurstable,
	}
	for _, condition := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled} {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: condition, Status: corev1.ConditionTrue, LastTransitionTime: started})
	}
	for _, container := range p.Spec.Containers {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: container.Name, Ready: true, Started: new(true), Image: container.Image,
			ImageID: container.Image + "@sha256:" + fmt.Sprintf("%064x", w.index), ContainerID: "containerd://" + fmt.Sprintf("%064x", w.index),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}},
		})
	}
	return p
}

func podSpec(w workload) corev1.PodSpec {
	container := func(name string) corev1.Container {
		c := corev1.Container{
			Name: name, Image: "registry.example.com/shop/" + name + ":4.2.1", ImagePullPolicy: corev1.PullIfNotPresent,
			Args:  []string{"--config=/etc/app/config.yaml", "--log-level=info", "--listen=:8080"},
			Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}, {Name: "metrics", ContainerPort: 9090, Protocol: corev1.ProtocolTCP}},
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
				Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
			},
			ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/readyz", Port: intstr.FromString("http"), Scheme: corev1.URISchemeHTTP}}, PeriodSeconds: 10, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3},
			SecurityContext: &corev1.SecurityContext{
				RunAsNonRoot: new(true), ReadOnlyRootFilesystem: new(true), AllowPrivilegeEscalation: new(false),
				Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
			VolumeMounts:           []corev1.VolumeMount{{Name: "config", MountPath: "/etc/app", ReadOnly: true}, {Name: "tmp", MountPath: "/tmp"}},
			TerminationMessagePath: "/dev/termination-log", TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		}
		for k := range 8 {
			c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_%d", k), Value: fmt.Sprintf("https://service-%d.example.com/v1", k)})
		}
		return c
	}
	return corev1.PodSpec{
		Containers: []corev1.Container{container("main"), container("proxy")}, ServiceAccountName: "default", DeprecatedServiceAccount: "default",
		RestartPolicy: corev1.RestartPolicyAlways, DNSPolicy: corev1.DNSClusterFirst, SchedulerName: corev1.DefaultSchedulerName,
		TerminationGracePeriodSeconds: new(int64(30)), SecurityContext: &corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Tolerations: []corev1.Toleration{{Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: new(int64(300))}},
		Volumes: []corev1.Volume{
			{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: w.name}, DefaultMode: new(int32(420))}}},
			{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
	}
}

func (s Size) services() iter.Seq[runtime.Object] {
	return generate(s.Services, func(i int) *corev1.Service {
		w := s.workload(i)
		address := fmt.Sprintf("172.20.%d.%d", i>>8&0xff, i&0xff)
		return &corev1.Service{
			ObjectMeta: metadata(w.namespace, w.name, w.labels(), map[string]string{"meta.helm.sh/release-name": w.name, "meta.helm.sh/release-namespace": w.namespace}),
			Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeClusterIP, ClusterIP: address, ClusterIPs: []string{address}, Selector: w.selector(),
				IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol}, SessionAffinity: corev1.ServiceAffinityNone,
				Ports: []corev1.ServicePort{
					{Name: "http", Port: 80, TargetPort: intstr.FromString("http"), Protocol: corev1.ProtocolTCP},
					{Name: "metrics", Port: 9090, TargetPort: intstr.FromString("metrics"), Protocol: corev1.ProtocolTCP},
				},
			},
		}
	})
}

func (s Size) endpointSlices() iter.Seq[runtime.Object] {
	return generate(s.Services, func(i int) *discoveryv1.EndpointSlice {
		w := s.workload(i)
		labels := w.labels()
		labels[discoveryv1.LabelServiceName] = w.name
		labels[discoveryv1.LabelManagedBy] = "endpointslice-controller.k8s.io"
		slice := &discoveryv1.EndpointSlice{
			ObjectMeta:  metadata(w.namespace, w.name+"-"+suffix(w.name+"/slice", 5), labels, map[string]string{corev1.EndpointsLastChangeTriggerTime: "2026-03-01T12:00:00Z"}),
			AddressType: discoveryv1.AddressTypeIPv4,
			Ports:       []discoveryv1.EndpointPort{{Name: new("http"), Port: new(int32(8080)), Protocol: new(corev1.ProtocolTCP)}, {Name: new("metrics"), Port: new(int32(9090)), Protocol: new(corev1.ProtocolTCP)}},
		}
		slice.OwnerReferences = controlledBy("v1", "Service", w.namespace, w.name)
		for j := range w.pods {
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
				Addresses:  []string{w.address(j)},
				Conditions: discoveryv1.EndpointConditions{Ready: new(true), Serving: new(true), Terminating: new(false)},
				NodeName:   new(s.node(i*7 + j)), Zone: new(zone(i*7 + j)),
				TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: w.namespace, Name: w.pod(j), UID: uid(w.namespace, w.pod(j))},
			})
		}
		return slice
	})
}
