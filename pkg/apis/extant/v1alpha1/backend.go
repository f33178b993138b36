package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +genclient
// +genclient:nonNamespaced
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// Backend is a remote service that hooks call: the Service behind a webhook,
// the server of an aggregated API, a URL, or a socket.
type Backend struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. The name is <service>.<namespace>.<port>, for
	// a URL <host>.<port>, for a socket <file name>.<hash>.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// Where the backend is and who calls it. Written by discovery.
	Spec BackendSpec `json:"spec" protobuf:"bytes,2,opt,name=spec"`
	// Whether it answers. Written by Extant.
	// +optional
	Status BackendStatus `json:"status,omitempty" protobuf:"bytes,3,opt,name=status"`
}

// BackendSpec is where a backend is and who calls it. Exactly one of service,
// url and socket is set.
type BackendSpec struct {
	// The Service that callers name.
	// +optional
	Service *ServiceReference `json:"service,omitempty" protobuf:"bytes,1,opt,name=service"`
	// The URL that callers name, as https://host:port.
	// +optional
	URL string `json:"url,omitempty" protobuf:"bytes,2,opt,name=url"`
	// The socket that callers name, as unix:///path.
	// +optional
	Socket string `json:"socket,omitempty" protobuf:"bytes,3,opt,name=socket"`
	// The hooks that call the backend.
	// +optional
	// +listType=atomic
	Callers []Caller `json:"callers,omitempty" protobuf:"bytes,4,rep,name=callers"`
}

// ServiceReference names a port of a Service.
type ServiceReference struct {
	// The namespace of the Service.
	Namespace string `json:"namespace" protobuf:"bytes,1,opt,name=namespace"`
	// The name of the Service.
	Name string `json:"name" protobuf:"bytes,2,opt,name=name"`
	// The port of the Service, from 1 to 65535.
	Port int32 `json:"port" protobuf:"varint,3,opt,name=port"`
}

// Caller is one hook that calls a backend.
type Caller struct {
	// The name of the ExtensionPoint that the hook is registered at.
	Point string `json:"point" protobuf:"bytes,1,opt,name=point"`
	// The resource of the object that registers the hook.
	Resource string `json:"resource" protobuf:"bytes,2,opt,name=resource"`
	// The name of the object that registers the hook.
	Object string `json:"object" protobuf:"bytes,3,opt,name=object"`
	// The name of the hook in that object.
	// +optional
	Hook string `json:"hook,omitempty" protobuf:"bytes,4,opt,name=hook"`
	// The path that is called.
	// +optional
	Path string `json:"path,omitempty" protobuf:"bytes,5,opt,name=path"`
	// Fail or Ignore: what the caller does when the backend does not answer.
	// Empty where the point leaves no choice.
	// +optional
	FailurePolicy string `json:"failurePolicy,omitempty" protobuf:"bytes,6,opt,name=failurePolicy"`
	// Seconds after which the caller gives up; 0 where it is not known.
	// +optional
	TimeoutSeconds int32 `json:"timeoutSeconds,omitempty" protobuf:"varint,7,opt,name=timeoutSeconds"`
}

// BackendStatus tells whether a backend answers.
type BackendStatus struct {
	// Whether the backend can be called: True, False or Unknown.
	// +optional
	Available metav1.ConditionStatus `json:"available,omitempty" protobuf:"bytes,1,opt,name=available,casttype=k8s.io/apimachinery/pkg/apis/meta/v1.ConditionStatus"`
	// Why: ProbeSucceeded, ServiceNotFound, NoReadyEndpoints, ConnectFailed,
	// TLSFailed or NotProbed.
	// +optional
	Reason BackendReason `json:"reason,omitempty" protobuf:"bytes,2,opt,name=reason,casttype=BackendReason"`
	// What was found, for people.
	// +optional
	Message string `json:"message,omitempty" protobuf:"bytes,3,opt,name=message"`
	// The endpoints behind the Service's port. Absent for URLs and sockets.
	// +optional
	Endpoints *EndpointCounts `json:"endpoints,omitempty" protobuf:"bytes,4,opt,name=endpoints"`
	// The workloads whose pods answer.
	// +optional
	// +listType=atomic
	Workloads []ObjectReference `json:"workloads,omitempty" protobuf:"bytes,5,rep,name=workloads"`
	// The certificate that the backend serves.
	// +optional
	Certificate *Certificate `json:"certificate,omitempty" protobuf:"bytes,6,opt,name=certificate"`
	// Whether each caller trusts the certificate.
	// +optional
	// +listType=atomic
	Callers []CallerStatus `json:"callers,omitempty" protobuf:"bytes,7,rep,name=callers"`
	// How long probes took, over the samples kept.
	// +optional
	Latency *Latency `json:"latency,omitempty" protobuf:"bytes,8,opt,name=latency"`
	// When the backend was last probed.
	// +optional
	LastProbeTime *metav1.Time `json:"lastProbeTime,omitempty" protobuf:"bytes,9,opt,name=lastProbeTime"`
	// The newest 60 probes.
	// +optional
	// +listType=atomic
	Samples []Sample `json:"samples,omitempty" protobuf:"bytes,10,rep,name=samples"`
	// Available and CertificateValid.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +patchStrategy=merge
	// +patchMergeKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type" protobuf:"bytes,11,rep,name=conditions"`
}

// BackendReason is why a backend is available or not.
// +enum
type BackendReason string

const (
	// A probe succeeded, or the API server itself reports the backend as available.
	BackendProbeSucceeded BackendReason = "ProbeSucceeded"
	// The Service, or the port that callers name, does not exist.
	BackendServiceNotFound BackendReason = "ServiceNotFound"
	// The Service has no ready endpoint.
	BackendNoReadyEndpoints BackendReason = "NoReadyEndpoints"
	// No connection could be made.
	BackendConnectFailed BackendReason = "ConnectFailed"
	// The TLS handshake failed.
	BackendTLSFailed BackendReason = "TLSFailed"
	// Only a probe could tell, and none was made.
	BackendNotProbed BackendReason = "NotProbed"
)

// EndpointCounts counts the endpoints behind a Service's port.
type EndpointCounts struct {
	// Endpoints that are ready.
	Ready int32 `json:"ready" protobuf:"varint,1,opt,name=ready"`
	// All endpoints.
	Total int32 `json:"total" protobuf:"varint,2,opt,name=total"`
	// The nodes that ready endpoints run on.
	Nodes int32 `json:"nodes" protobuf:"varint,3,opt,name=nodes"`
	// The zones that ready endpoints run in.
	Zones int32 `json:"zones" protobuf:"varint,4,opt,name=zones"`
}

// Certificate is what a backend's serving certificate says.
type Certificate struct {
	// When the certificate expires.
	// +optional
	NotAfter *metav1.Time `json:"notAfter,omitempty" protobuf:"bytes,1,opt,name=notAfter"`
	// The names that it is valid for.
	// +optional
	// +listType=atomic
	DNSNames []string `json:"dnsNames,omitempty" protobuf:"bytes,2,rep,name=dnsNames"`
	// Who issued it.
	// +optional
	Issuer string `json:"issuer,omitempty" protobuf:"bytes,3,opt,name=issuer"`
}

// CallerStatus tells whether one caller trusts the backend's certificate.
type CallerStatus struct {
	// The resource of the object that registers the hook.
	Resource string `json:"resource" protobuf:"bytes,1,opt,name=resource"`
	// The name of the object that registers the hook.
	Object string `json:"object" protobuf:"bytes,2,opt,name=object"`
	// The name of the hook in that object.
	// +optional
	Hook string `json:"hook,omitempty" protobuf:"bytes,3,opt,name=hook"`
	// Whether the certificate is valid by the caller's own CA bundle and for
	// the name that it calls: True, False or Unknown.
	TrustedByCABundle metav1.ConditionStatus `json:"trustedByCABundle" protobuf:"bytes,4,opt,name=trustedByCABundle,casttype=k8s.io/apimachinery/pkg/apis/meta/v1.ConditionStatus"`
}

// Latency is how long probes took.
type Latency struct {
	// The newest probe.
	Last metav1.Duration `json:"last" protobuf:"bytes,1,opt,name=last"`
	// The median.
	P50 metav1.Duration `json:"p50" protobuf:"bytes,2,opt,name=p50"`
	// The 99th percentile.
	P99 metav1.Duration `json:"p99" protobuf:"bytes,3,opt,name=p99"`
}

// Sample is one probe.
type Sample struct {
	// When the probe was made.
	Time metav1.Time `json:"time" protobuf:"bytes,1,opt,name=time"`
	// How long it took, in milliseconds.
	Milliseconds int64 `json:"milliseconds" protobuf:"varint,2,opt,name=milliseconds"`
	// Why it failed; empty for a success.
	// +optional
	Error string `json:"error,omitempty" protobuf:"bytes,3,opt,name=error"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// BackendList is a list of Backends.
type BackendList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`

	// The backends.
	Items []Backend `json:"items" protobuf:"bytes,2,rep,name=items"`
}
