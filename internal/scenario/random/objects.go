package random

import (
	"encoding/json"
	"net/url"
	"strings"
)

// objectNames are those that objects have, and that rules name. The last one is
// of no object that is there before.
var objectNames = []string{"web-1", "db-2", "web-3"}

// Object is an object that is there before the requests are made.
type Object struct {
	Kind *Kind
	// Path is that of the object, Collection what it is posted to.
	Path, Collection string
	Body             []byte
}

// Objects makes objects for the requests to change.
func (g *Generator) Objects(c *Cluster) []Object {
	var all []Object
	for _, kind := range g.focus {
		if kind.CreateOnly || kind.Unstored {
			continue
		}
		namespaces := []string{""}
		if kind.Namespaced {
			namespaces = nil
			for _, namespace := range c.Namespaces {
				namespaces = append(namespaces, namespace.Name)
			}
		}
		for _, namespace := range namespaces {
			for _, name := range objectNames[:2] {
				version := kind.Versions[0]
				object := g.object(kind, version, namespace, name)
				all = append(all, Object{
					Kind: kind, Path: path(kind, version, namespace, name, ""), Collection: path(kind, version, namespace, "", ""), Body: encode(object),
				})
			}
		}
	}
	return all
}

// ServiceAccount is the one that pods of a namespace run as, which somebody has
// to make before them.
func ServiceAccount(namespace string) Object {
	collection := "/api/v1/namespaces/" + namespace + "/serviceaccounts"
	return Object{Path: collection + "/default", Collection: collection, Body: encode(map[string]any{
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": "default", "namespace": namespace},
	})}
}

// object makes an object of a kind. Without a name the server makes one.
func (g *Generator) object(kind *Kind, version, namespace, name string) map[string]any {
	var object map[string]any
	if kind.bodies != nil {
		object = parse(strings.ReplaceAll(pick(g, kind.bodies...), "NAMESPACE", namespace))
	} else {
		object = map[string]any{}
	}
	object["apiVersion"], object["kind"] = kind.apiVersion(version), kind.Kind
	metadata := map[string]any{}
	switch {
	case kind.CreateOnly:
	case name == "":
		metadata["generateName"] = "gen-"
	default:
		metadata["name"] = name
	}
	if namespace != "" && (!g.chance(15) || kind.Resource == "events") {
		metadata["namespace"] = namespace
	}
	if labels := g.labels("app", "tier"); labels != nil {
		metadata["labels"] = values(labels)
	}
	if g.chance(30) {
		metadata["annotations"] = map[string]any{pick(g, "a", "b"): "x"}
	}
	object["metadata"] = metadata
	return object
}

func values(labels map[string]string) map[string]any {
	all := make(map[string]any, len(labels))
	for key, value := range labels {
		all[key] = value
	}
	return all
}

// path is where a resource is served. Events of both groups, and everything
// else, are where discovery says.
func path(kind *Kind, version, namespace, name, subresource string) string {
	parts := []string{"apis", kind.Group, version}
	if kind.Group == "" {
		parts = []string{"api", version}
	}
	if namespace != "" {
		parts = append(parts, "namespaces", namespace)
	}
	parts = append(parts, kind.Resource)
	for _, part := range []string{name, subresource} {
		if part != "" {
			parts = append(parts, url.PathEscape(part))
		}
	}
	return "/" + strings.Join(parts, "/")
}

func encode(object any) []byte {
	text, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return text
}

// clone copies an object.
func clone(object map[string]any) map[string]any {
	var copied map[string]any
	if err := json.Unmarshal(encode(object), &copied); err != nil {
		panic(err)
	}
	return copied
}
