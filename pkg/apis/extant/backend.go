package extant

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// Backend is a remote service that hooks call: the Service behind a webhook,
// the server of an aggregated API, a URL, or a socket.
type Backend struct {
	metav1.TypeMeta
	// Standard object metadata. The name is <service>.<namespace>.<port>, for
	// a URL <host>.<port>, for a socket <file name>.<hash>.
	metav1.ObjectMeta

	// Where the backend is and who calls it. Written by discovery.
	Spec BackendSpec
	// Whether it answers. Written by Extant.
	Status BackendStatus
}

// BackendSpec is where a backend is and who calls it. Exactly one of service,
// url and socket is set.
type BackendSpec struct {
	// The Service that callers name.
	Service *ServiceReference
	// The URL that callers name, as https://host:port.
	URL string
	// The socket that callers name, as unix:///path.
	Socket string
	// The hooks that call the backend.
	Callers []Caller
}

// ServiceReference names a port of a Service.
type ServiceReference struct {
	// The namespace of the Service.
	Namespace string
	// The name of the Service.
	Name string
	// The port of the Service, from 1 to 65535.
	Port int32
}

// Caller is one hook that calls a backend.
type Caller struct {
	// The name of the ExtensionPoint that the hook is registered at.
	Point string
	// The resource of the object that registers the hook.
	Resource string
	// The name of the object that registers the hook.
	Object string
	// The name of the hook in that object.
	Hook string
	// The path that is called.
	Path string
	// Fail or Ignore: what the caller does when the backend does not answer.
	// Empty where the point leaves no choice.
	FailurePolicy string
	// Seconds after which the caller gives up; 0 where it is not known.
	TimeoutSeconds int32
}

// BackendStatus tells whether a backend answers.
type BackendStatus struct {
	// Whether the backend can be called: True, False or Unknown.
	Available metav1.ConditionStatus
	// Why: ProbeSucceeded, ServiceNotFound, NoReadyEndpoints, ConnectFailed,
	// TLSFailed or NotProbed.
	Reason BackendReason
	// What was found, for people.
	Message string
	// The endpoints behind the Service's port. Absent for URLs and sockets.
	Endpoints *EndpointCounts
	// The workloads whose pods answer.
	Workloads []ObjectReference
	// The certificate that the backend serves.
	Certificate *Certificate
	// Whether each caller trusts the certificate.
	Callers []CallerStatus
	// How long probes took, over the samples kept.
	Latency *Latency
	// When the backend was last probed.
	LastProbeTime *metav1.Time
	// The newest 60 probes.
	Samples []Sample
	// Available and CertificateValid.
	Conditions []metav1.Condition
}

// BackendReason is why a backend is available or not.
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
	Ready int32
	// All endpoints.
	Total int32
	// The nodes that ready endpoints run on.
	Nodes int32
	// The zones that ready endpoints run in.
	Zones int32
}

// Certificate is what a backend's serving certificate says.
type Certificate struct {
	// When the certificate expires.
	NotAfter *metav1.Time
	// The names that it is valid for.
	DNSNames []string
	// Who issued it.
	Issuer string
}

// CallerStatus tells whether one caller trusts the backend's certificate.
type CallerStatus struct {
	// The resource of the object that registers the hook.
	Resource string
	// The name of the object that registers the hook.
	Object string
	// The name of the hook in that object.
	Hook string
	// Whether the certificate is valid by the caller's own CA bundle and for
	// the name that it calls: True, False or Unknown.
	TrustedByCABundle metav1.ConditionStatus
}

// Latency is how long probes took.
type Latency struct {
	// The newest probe.
	Last metav1.Duration
	// The median.
	P50 metav1.Duration
	// The 99th percentile.
	P99 metav1.Duration
}

// Sample is one probe.
type Sample struct {
	// When the probe was made.
	Time metav1.Time
	// How long it took, in milliseconds.
	Milliseconds int64
	// Why it failed; empty for a success.
	Error string
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// BackendList is a list of Backends.
type BackendList struct {
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// The backends.
	Items []Backend
}
