package prober

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// target is what is called to probe one backend, and as whom.
type target struct {
	probe extant.Probe
	// skip says why nothing is called; empty where something is.
	skip string
	// serverName is the name that the certificate must be valid for.
	serverName string
	// endpoints are the addresses, as host:port, in order. A host that is a name
	// is resolved at each call.
	endpoints []string
	// protocols are those that the callers offer in the handshake.
	protocols []string
	// callers are the hooks that call, in the order of the Backend's.
	callers []caller
	// doubt says why an answer does not mean that the API server has one too;
	// empty where it does.
	doubt string
	// mute says why silence does not mean that the API server hears nothing
	// either; empty where it does.
	mute string
}

func (t *target) timeout() time.Duration { return time.Duration(t.probe.TimeoutSeconds) * time.Second }
func (t *target) interval() time.Duration {
	return time.Duration(t.probe.IntervalSeconds) * time.Second
}

// caller is a hook with what it asks of a certificate.
type caller struct {
	resource, object, hook string
	// bundle is its caBundle; empty: the authorities of the system.
	bundle []byte
	// insecure callers take any certificate.
	insecure bool
}

var (
	serviceResource       = schema.GroupResource{Resource: "services"}
	endpointSliceResource = schema.GroupResource{Group: "discovery.k8s.io", Resource: "endpointslices"}
	networkPolicyResource = schema.GroupResource{Group: "networking.k8s.io", Resource: "networkpolicies"}
	webhookProtocols      = []string{"http/1.1"}
	aggregationProtocols  = []string{"h2", "http/1.1"}
)

// targets returns what is to be called for each backend of an inventory, by
// name. Namespace is the one that Extant runs in.
func targets(snapshot *cluster.Snapshot, found *inventory.Inventory, namespace string) map[string]*target {
	callers := map[string][]caller{}
	aggregated := map[string]bool{}
	for i := range found.Hooks {
		hook := &found.Hooks[i]
		if hook.Backend == "" {
			continue
		}
		callers[hook.Backend] = append(callers[hook.Backend], callerOf(hook))
		if hook.APIService != nil {
			aggregated[hook.Backend] = true
		}
	}
	slices := slicesByService(snapshot)
	all := make(map[string]*target, len(found.Backends))
	for i := range found.Backends {
		backend := &found.Backends[i]
		t := &target{probe: found.Probes[backend.Name], callers: callers[backend.Name], protocols: webhookProtocols}
		if aggregated[backend.Name] {
			t.protocols = aggregationProtocols
		}
		switch {
		case t.probe.Mode == extant.ProbeModeNone:
			t.skip = "spec.probe.mode of its Extension is None"
		case backend.Spec.Service != nil:
			t.service(snapshot, backend.Spec.Service, slices, namespace)
		case backend.Spec.URL != "":
			t.url(backend.Spec.URL)
		default:
			t.skip = "a socket can be reached on its own node only"
		}
		all[backend.Name] = t
	}
	return all
}

func callerOf(hook *inventory.Hook) caller {
	c := caller{resource: hook.Resource, object: hook.Object, hook: hook.Name}
	switch {
	case hook.MutatingConfiguration != nil:
		c.bundle = hook.MutatingWebhook().ClientConfig.CABundle
	case hook.ValidatingConfiguration != nil:
		c.bundle = hook.ValidatingWebhook().ClientConfig.CABundle
	case hook.APIService != nil:
		c.bundle, c.insecure = hook.APIService.Spec.CABundle, hook.APIService.Spec.InsecureSkipTLSVerify
	case hook.Definition != nil:
		c.bundle = hook.Definition.Spec.Conversion.Webhook.ClientConfig.CABundle
	}
	return c
}

type serviceKey struct{ namespace, name string }

func slicesByService(snapshot *cluster.Snapshot) map[serviceKey][]*discoveryv1.EndpointSlice {
	all := map[serviceKey][]*discoveryv1.EndpointSlice{}
	for slice := range snapshot.EndpointSlices().All() {
		if name := slice.Labels[discoveryv1.LabelServiceName]; name != "" {
			key := serviceKey{slice.Namespace, name}
			all[key] = append(all[key], slice)
		}
	}
	return all
}

// service finds the endpoints of a Service as the API server reaches them:
// through the cluster IP, behind which are the ready endpoints of the Service's
// first address family, or, with --enable-aggregator-routing, directly. The two
// differ on Services without a cluster IP and on those that stand for a host;
// which is in force does not show.
func (t *target) service(snapshot *cluster.Snapshot, ref *extant.ServiceReference, all map[serviceKey][]*discoveryv1.EndpointSlice, namespace string) {
	t.serverName = ref.Name + "." + ref.Namespace + ".svc"
	service, ok := snapshot.Services().Get(ref.Namespace, ref.Name)
	if !ok {
		t.skip = "there is no Service"
		return
	}
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		t.endpoints = []string{net.JoinHostPort(service.Spec.ExternalName, strconv.Itoa(int(ref.Port)))}
		t.doubt = "a kube-apiserver with --enable-aggregator-routing does not call Services of the type ExternalName"
		return
	}
	if service.Spec.ClusterIP == corev1.ClusterIPNone {
		t.doubt = "only a kube-apiserver with --enable-aggregator-routing calls Services without a cluster IP"
	}
	for _, port := range service.Spec.Ports {
		if port.Port != ref.Port || (port.Protocol != corev1.ProtocolTCP && port.Protocol != "") {
			continue
		}
		for _, slice := range all[serviceKey{ref.Namespace, ref.Name}] {
			if len(service.Spec.IPFamilies) > 0 && string(slice.AddressType) != string(service.Spec.IPFamilies[0]) {
				continue
			}
			t.endpoints = append(t.endpoints, readyEndpoints(slice, port.Name)...)
		}
		break
	}
	slices.Sort(t.endpoints)
	t.endpoints = slices.Compact(t.endpoints)
	if len(t.endpoints) == 0 {
		t.skip = "there is no ready endpoint"
	}
	t.mute = mayBeKeptOut(snapshot, ref.Namespace, namespace)
}

func readyEndpoints(slice *discoveryv1.EndpointSlice, portName string) []string {
	var addresses []string
	for _, port := range slice.Ports {
		if port.Port == nil || (port.Name != nil && *port.Name != portName) || (port.Name == nil && portName != "") {
			continue
		}
		for i := range slice.Endpoints {
			endpoint := &slice.Endpoints[i]
			if ready := endpoint.Conditions.Ready; (ready == nil || *ready) && len(endpoint.Addresses) > 0 {
				addresses = append(addresses, net.JoinHostPort(endpoint.Addresses[0], strconv.Itoa(int(*port.Port))))
			}
		}
	}
	return addresses
}

// mayBeKeptOut says which policies may keep Extant from what the API server,
// which no NetworkPolicy selects, can reach.
func mayBeKeptOut(snapshot *cluster.Snapshot, namespaces ...string) string {
	if gap, ok := snapshot.DecidingGap(networkPolicyResource); ok {
		return fmt.Sprintf("a NetworkPolicy may keep Extant out; they cannot be seen: %s", gap.Reason)
	}
	for _, namespace := range namespaces {
		for range snapshot.NetworkPolicies().InNamespace(namespace) {
			return "a NetworkPolicy of the namespace " + namespace + " may keep Extant out"
		}
	}
	return ""
}

// url finds the host of a URL. The API server commonly runs where the names of
// the cluster's own DNS are not known.
func (t *target) url(raw string) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		t.skip = "only https can be called"
		return
	}
	t.serverName = u.Hostname()
	port := u.Port()
	if port == "" {
		port = "443"
	}
	t.endpoints = []string{net.JoinHostPort(u.Hostname(), port)}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return
	}
	name := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if !strings.Contains(name, ".") || strings.HasSuffix(name, ".svc") || strings.Contains(name, ".svc.") || strings.HasSuffix(name, ".cluster.local") {
		t.doubt = "the host may be a name that kube-apiserver's own DNS does not know"
	}
}
