package random

import (
	"fmt"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// ofSubresource makes a request to a subresource.
func (m *making) ofSubresource() bool {
	switch m.subresource {
	case "status":
		return m.change(m.status())
	case "scale":
		return m.change(map[string]any{"spec": map[string]any{"replicas": m.between(0, 5)}})
	case "resize":
		return m.change(parse(`{spec: {containers: [{name: main, image: "registry.example/app:1", resources: {requests: {cpu: 1m}}}]}}`))
	case "ephemeralcontainers":
		return m.change(parse(`{spec: {ephemeralContainers: [{name: dbg, image: "registry.example/dbg:1", imagePullPolicy: Always, terminationMessagePath: /dev/termination-log, terminationMessagePolicy: File}]}}`))
	case "token":
		return m.createAt(`{apiVersion: authentication.k8s.io/v1, kind: TokenRequest, spec: {audiences: [a], expirationSeconds: 3600}}`)
	case "binding":
		return m.createAt(`{apiVersion: v1, kind: Binding, metadata: {name: NAME}, target: {apiVersion: v1, kind: Node, name: nowhere}}`)
	case "eviction":
		return m.createAt(`{apiVersion: policy/v1, kind: Eviction, metadata: {name: NAME, namespace: NAMESPACE}}`)
	default:
		return m.connect()
	}
}

// status is a change of a status, which may try to change more.
func (m *making) status() map[string]any {
	patch := map[string]any{"status": map[string]any{}}
	if m.chance(40) {
		patch = m.mergePatch()
	}
	return patch
}

// change patches a subresource, or sends it back changed.
func (m *making) change(patch map[string]any) bool {
	old := m.old()
	if old == nil {
		return false
	}
	object := merged(old, patch)
	if m.chance(40) {
		m.send("PUT", extant.OperationUpdate, object, object, old)
		return true
	}
	m.send("PATCH", extant.OperationUpdate, patch, object, old)
	m.request.ContentType = "application/merge-patch+json"
	return true
}

// createAt posts something to a subresource of an object that is there.
func (m *making) createAt(text string) bool {
	if m.stored(path(m.kind, m.version, m.namespace, m.name, "")) == nil {
		return false
	}
	object := parse(text)
	if metadata, ok := object["metadata"].(map[string]any); ok {
		metadata["name"] = m.name
		if _, ok := metadata["namespace"]; ok {
			metadata["namespace"] = m.namespace
		}
		if labels := m.labels("app", "tier"); labels != nil {
			metadata["labels"] = values(labels)
		}
	}
	m.dry = m.dry || m.subresource == "eviction" || m.subresource == "binding"
	m.send("POST", extant.OperationCreate, object, object, nil)
	return true
}

// connect connects to something that nobody runs.
func (m *making) connect() bool {
	options := map[string]any{"apiVersion": "v1"}
	switch m.subresource {
	case "exec":
		options["kind"], options["command"], options["stdout"] = "PodExecOptions", []string{"ls"}, true
		m.query.Set("command", "ls")
		m.query.Set("stdout", "true")
	case "attach":
		options["kind"], options["stdout"] = "PodAttachOptions", true
		m.query.Set("stdout", "true")
	case "portforward":
		port := m.between(80, 90)
		options["kind"], options["ports"] = "PodPortForwardOptions", []int{port}
		m.query.Set("ports", fmt.Sprint(port))
	default:
		options["kind"] = m.kind.Kind + "ProxyOptions"
	}
	if m.stored(path(m.kind, m.version, m.namespace, m.name, "")) == nil {
		return false
	}
	// A review does not say by which method, on which the verb depends.
	m.send("POST", extant.OperationConnect, nil, options, nil)
	return true
}
