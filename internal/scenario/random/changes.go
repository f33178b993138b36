package random

import (
	"encoding/json"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// changed changes an object's metadata or content.
func (m *making) changed(object map[string]any) map[string]any {
	return merged(object, m.mergePatch())
}

// mergePatch is a change of an object.
func (m *making) mergePatch() map[string]any {
	if len(m.kind.patches) > 0 && m.chance(50) {
		return parse(pick(m.Generator, m.kind.patches...))
	}
	key := pick(m.Generator, "app", "tier")
	var value any = pick(m.Generator, labelValues[key]...)
	if m.chance(25) {
		value = nil
	}
	patch := map[string]any{"metadata": map[string]any{"labels": map[string]any{key: value}}}
	if m.chance(25) {
		patch["metadata"].(map[string]any)["annotations"] = map[string]any{"a": "y"}
	}
	return patch
}

func merged(object, patch map[string]any) map[string]any {
	text, err := jsonpatch.MergePatch(encode(object), encode(patch))
	if err != nil {
		panic(err)
	}
	var result map[string]any
	if err := json.Unmarshal(text, &result); err != nil {
		panic(err)
	}
	return result
}

// patch changes an object by a merge patch or a JSON patch.
func (m *making) patch() bool {
	old := m.old()
	if old == nil {
		return false
	}
	if m.chance(25) {
		return m.jsonPatch(old)
	}
	patch := m.mergePatch()
	m.send("PATCH", extant.OperationUpdate, patch, merged(old, patch), old)
	m.request.ContentType = "application/merge-patch+json"
	return true
}

// jsonPatch replaces all labels.
func (m *making) jsonPatch(old map[string]any) bool {
	labels := map[string]any{}
	for key, value := range m.labels("app", "tier") {
		labels[key] = value
	}
	object := clone(old)
	object["metadata"].(map[string]any)["labels"] = labels
	m.send("PATCH", extant.OperationUpdate, nil, object, old)
	m.request.Body = encode([]any{map[string]any{"op": "add", "path": "/metadata/labels", "value": labels}})
	m.request.ContentType = "application/json-patch+json"
	return true
}

// apply creates an object by server-side apply, or changes one's labels.
func (m *making) apply() bool {
	m.query.Set("fieldManager", "someone")
	m.query.Set("force", "true")
	old := m.old()
	if old == nil || m.chance(50) {
		m.name = m.Generator.name("web")
		object := m.object(m.kind, m.version, m.namespace, m.name)
		m.send("PATCH", extant.OperationCreate, object, object, nil)
	} else {
		applied := map[string]any{
			"apiVersion": m.kind.apiVersion(m.version), "kind": m.kind.Kind,
			"metadata": map[string]any{"name": m.name, "labels": map[string]any{"app": pick(m.Generator, labelValues["app"]...)}},
		}
		m.send("PATCH", extant.OperationUpdate, applied, merged(old, applied), old)
	}
	m.request.ContentType = "application/apply-patch+yaml"
	m.request.Review.Options = options("PatchOptions", m.dry, "fieldManager", "someone")
	return true
}
