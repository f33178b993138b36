package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// What can be told of a backend without calling it. A Service or port that is
// missing, or a Service without a ready endpoint, makes it unavailable; that
// endpoints are ready does not make it available, as only a call can tell. The
// API server calls aggregated APIs all the time, and reports what came of it
// in the condition Available of their APIServices: that is as good as a probe,
// and comes first.

// verdict is what can be told of a backend.
type verdict struct {
	available metav1.ConditionStatus
	reason    extant.BackendReason
	message   string
}

func notProbed(message string) verdict {
	return verdict{metav1.ConditionUnknown, extant.BackendNotProbed, message}
}

func (t *taker) backendStatuses() []extant.Backend {
	backends := make([]extant.Backend, 0, len(t.calls))
	for _, c := range t.calls {
		backend := extant.Backend{
			ObjectMeta: metav1.ObjectMeta{Name: c.name, Labels: map[string]string{extant.LabelOrigin: extant.OriginDiscovered}},
			Spec:       extant.BackendSpec{Service: c.service, URL: c.url, Callers: t.callers(c)},
		}
		v := t.assess(c, &backend.Status)
		if reported, ok := t.reported(c); ok {
			v = reported
		}
		backend.Status.Available, backend.Status.Reason, backend.Status.Message = v.available, v.reason, v.message
		backend.Status.Conditions = []metav1.Condition{{
			Type: extant.ConditionAvailable, Status: v.available, Reason: string(v.reason), Message: v.message,
		}}
		backends = append(backends, backend)
	}
	slices.SortFunc(backends, func(x, y extant.Backend) int { return strings.Compare(x.Name, y.Name) })
	return backends
}

func (t *taker) callers(c *call) []extant.Caller {
	callers := make([]extant.Caller, 0, len(c.hooks))
	for _, i := range c.hooks {
		h := &t.hooks[i]
		callers = append(callers, extant.Caller{
			Point: h.Point, Resource: h.Resource, Object: h.Object, Hook: h.Name, Path: h.Path,
			FailurePolicy: h.FailurePolicy, TimeoutSeconds: h.TimeoutSeconds,
		})
	}
	slices.SortFunc(callers, func(x, y extant.Caller) int {
		return cmp.Or(
			strings.Compare(x.Point, y.Point), strings.Compare(x.Resource, y.Resource), strings.Compare(x.Object, y.Object),
			strings.Compare(x.Hook, y.Hook), strings.Compare(x.Path, y.Path),
			strings.Compare(x.FailurePolicy, y.FailurePolicy), cmp.Compare(x.TimeoutSeconds, y.TimeoutSeconds),
		)
	})
	return callers
}

// assess tells what the Service, its endpoints and its workloads say, and fills
// in the latter two.
func (t *taker) assess(c *call, status *extant.BackendStatus) verdict {
	if c.service == nil {
		return notProbed("only a probe can tell whether the URL answers")
	}
	name := c.service.Namespace + "/" + c.service.Name
	if gap, ok := t.hidden(services); ok {
		return notProbed(fmt.Sprintf("services cannot be seen: %s", gap.Reason))
	}
	callee := t.callees[serviceName{c.service.Namespace, c.service.Name}]
	if callee.service == nil {
		return verdict{metav1.ConditionFalse, extant.BackendServiceNotFound, fmt.Sprintf("there is no Service %s", name)}
	}
	service := callee.service
	for _, w := range callee.workloads {
		status.Workloads = append(status.Workloads, w.ref())
	}
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return notProbed(fmt.Sprintf("Service %s stands for the host %s; only a probe can tell whether it answers", name, service.Spec.ExternalName))
	}
	port := portOf(service, c.service.Port)
	if port == nil {
		return verdict{metav1.ConditionFalse, extant.BackendServiceNotFound, fmt.Sprintf("Service %s has no port %d", name, c.service.Port)}
	}
	return t.assessEndpoints(name, callee, port, status)
}

func (t *taker) assessEndpoints(name string, callee *callee, port *corev1.ServicePort, status *extant.BackendStatus) verdict {
	if gap, ok := t.hidden(endpointSlices); ok {
		return notProbed(fmt.Sprintf("endpoint slices cannot be seen: %s", gap.Reason))
	}
	e := t.endpointsOf(callee.service, port, callee.workloads)
	if e.assumed != "" && len(callee.service.Spec.Selector) == 0 {
		return notProbed(fmt.Sprintf("Service %s has no selector, and its endpoints are not in the dump", name))
	}
	if len(e.owners) > 0 {
		status.Workloads = status.Workloads[:0]
		for _, w := range e.owners {
			status.Workloads = append(status.Workloads, w.ref())
		}
	}
	status.Endpoints = &e.counts
	if e.counts.Ready == 0 {
		if e.assumed != "" {
			// What is assumed rests on workloads and pods.
			if gap, ok := t.hidden(append(slices.Clone(workloads), pods)...); ok {
				return notProbed(fmt.Sprintf("%s cannot be seen: %s", gap.Resource, gap.Reason))
			}
		}
		return verdict{metav1.ConditionFalse, extant.BackendNoReadyEndpoints, fmt.Sprintf("Service %s has no ready endpoint (of %d)", name, e.counts.Total)}
	}
	ready := fmt.Sprintf("%d of %d endpoints ready; only a probe can tell whether they answer", e.counts.Ready, e.counts.Total)
	if e.assumed != "" {
		ready = fmt.Sprintf("%d of %d endpoints assumed ready: %s", e.counts.Ready, e.counts.Total, e.assumed)
	}
	return notProbed(ready)
}

// portOf returns the port of a Service that callers name by number.
func portOf(service *corev1.Service, number int32) *corev1.ServicePort {
	for i := range service.Spec.Ports {
		if port := &service.Spec.Ports[i]; port.Port == number && (port.Protocol == corev1.ProtocolTCP || port.Protocol == "") {
			return port
		}
	}
	return nil
}

// aggregatorReasons are the API server's words for why an APIService is not
// available, in Extant's.
var aggregatorReasons = map[string]extant.BackendReason{
	"ServiceNotFound":      extant.BackendServiceNotFound,
	"ServicePortError":     extant.BackendServiceNotFound,
	"EndpointsNotFound":    extant.BackendNoReadyEndpoints,
	"MissingEndpoints":     extant.BackendNoReadyEndpoints,
	"FailedDiscoveryCheck": extant.BackendConnectFailed,
}

// aggregatorAccessErrors are when the API server itself could not look.
var aggregatorAccessErrors = map[string]bool{"ServiceAccessError": true, "EndpointsAccessError": true}

// reported is what the API server says of a backend that serves an aggregated
// API. One version that it can reach is enough.
func (t *taker) reported(c *call) (verdict, bool) {
	var found verdict
	for _, i := range c.hooks {
		service := t.hooks[i].APIService
		if service == nil {
			continue
		}
		for _, condition := range service.Status.Conditions {
			if condition.Type != apiregistrationv1.Available || aggregatorAccessErrors[condition.Reason] {
				continue
			}
			switch condition.Status {
			case apiregistrationv1.ConditionTrue:
				return verdict{
					metav1.ConditionTrue, extant.BackendProbeSucceeded,
					fmt.Sprintf("the API server reports APIService %s as available", service.Name),
				}, true
			case apiregistrationv1.ConditionFalse:
				if found.available != "" {
					continue
				}
				reason, ok := aggregatorReasons[condition.Reason]
				if !ok {
					reason = extant.BackendConnectFailed
				}
				found = verdict{
					metav1.ConditionFalse, reason,
					fmt.Sprintf("the API server reports APIService %s as unavailable: %s", service.Name, condition.Message),
				}
			}
		}
	}
	return found, found.available != ""
}
