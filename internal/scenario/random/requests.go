package random

import (
	"net/url"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Request is a request on the wire, and what a review says of it.
type Request struct {
	User authenticationv1.UserInfo
	// Method, Path with its query, ContentType and Body are what is sent.
	Method, Path, ContentType string
	Body                      []byte
	// Review is the spec.request of a review.
	Review extant.ReviewedRequest
}

// Stored returns what is stored at a path, or nil where nothing is.
type Stored func(path string) map[string]any

// making is a request that is being made.
type making struct {
	*Generator
	stored                   Stored
	kind                     *Kind
	version, namespace, name string
	subresource              string
	request                  *Request
	query                    url.Values
	// dry requests are asked for often: they leave everything as it is.
	dry bool
}

// Request makes a request to a cluster. Nil is returned now and again, where
// what was drawn cannot be asked for.
func (g *Generator) Request(c *Cluster, stored Stored) *Request {
	m := &making{Generator: g, stored: stored, kind: g.kind(), query: url.Values{}}
	m.version = pick(g, m.kind.Versions...)
	m.request = &Request{User: g.user()}
	if m.kind.Namespaced {
		m.namespace = pick(g, c.Namespaces...).Name
	}
	m.name = pick(g, objectNames...)
	if m.kind.Resource == "namespaces" {
		m.name = pick(g, pick(g, c.Namespaces...).Name, g.name("new"))
	}
	m.dry = m.kind.DryOnly || g.chance(70)
	if !m.make() {
		return nil
	}
	m.finish()
	return m.request
}

func (g *Generator) user() authenticationv1.UserInfo {
	users := Users()
	user := pick(g, users[0], users[0], users[0], users[0], users[0], users[1], users[1], users[1], users[3], users[3], users[2])
	user.Groups = append(user.Groups, "system:authenticated")
	return user
}

// make draws what is done and tells whether it can be.
func (m *making) make() bool {
	if m.kind.CreateOnly {
		return m.create()
	}
	if len(m.kind.Subresources) > 0 && m.chance(35) {
		m.subresource = pick(m.Generator, m.kind.Subresources...)
		return m.ofSubresource()
	}
	switch n := m.between(0, 99); {
	case n < 35:
		return m.create()
	case n < 50:
		return m.update()
	case n < 72:
		return m.patch()
	case n < 82:
		return m.apply()
	case n < 95:
		return m.delete()
	default:
		return m.deleteCollection()
	}
}

// finish fills in what all requests have.
func (m *making) finish() {
	review := &m.request.Review
	review.Group, review.Version, review.Resource, review.Subresource = m.kind.Group, m.version, m.kind.Resource, m.subresource
	review.Namespace = m.namespace
	if review.Operation == extant.OperationConnect {
		m.dry = false
	}
	if m.dry {
		m.query.Set("dryRun", "All")
		review.DryRun = true
	}
	if len(m.query) > 0 {
		m.request.Path += "?" + m.query.Encode()
	}
}

// send sets what is sent to an object, and what a review says of it.
func (m *making) send(method string, operation extant.RequestOperation, body, object, old map[string]any) {
	m.request.Method, m.request.Path = method, path(m.kind, m.version, m.namespace, m.name, m.subresource)
	if body != nil {
		m.request.Body = encode(body)
	}
	review := &m.request.Review
	review.Operation, review.Name = operation, m.name
	review.Object, review.OldObject = raw(object), raw(old)
}

func raw(object map[string]any) runtime.RawExtension {
	if object == nil {
		return runtime.RawExtension{}
	}
	return runtime.RawExtension{Raw: encode(object)}
}

// old is the object as it is stored, or nil.
func (m *making) old() map[string]any {
	return m.stored(path(m.kind, m.version, m.namespace, m.name, m.subresource))
}

func (m *making) create() bool {
	if m.kind.Upsert && m.chance(40) {
		return m.upsert()
	}
	name := m.Generator.name(pick(m.Generator, "web", "db"))
	switch {
	case m.kind.Resource == "namespaces" || m.kind.CreateOnly:
		name = m.name
		if m.kind.CreateOnly {
			name = ""
		}
	case m.chance(15):
		name = ""
	}
	object := m.object(m.kind, m.version, m.namespace, name)
	m.name = ""
	m.send("POST", extant.OperationCreate, object, object, nil)
	m.request.Review.Name = name
	if m.chance(20) {
		m.query.Set("fieldManager", "someone")
		m.request.Review.Options = options("CreateOptions", m.dry, "fieldManager", "someone")
	}
	return true
}

// options are those of a request that set one.
func options(kind string, dry bool, key string, value any) runtime.RawExtension {
	all := map[string]any{"apiVersion": "meta.k8s.io/v1", "kind": kind, key: value}
	if dry {
		all["dryRun"] = []string{"All"}
	}
	return raw(all)
}

// upsert creates an object by a PUT.
func (m *making) upsert() bool {
	m.name = m.Generator.name("web")
	object := m.object(m.kind, m.version, m.namespace, m.name)
	m.send("PUT", extant.OperationCreate, object, object, nil)
	return true
}

// update sends the object back with changes.
func (m *making) update() bool {
	old := m.old()
	if old == nil {
		return false
	}
	object := m.changed(clone(old))
	m.send("PUT", extant.OperationUpdate, object, object, old)
	return true
}

// delete deletes an object. Pods are deleted in several passes whose options
// differ, which a condition can tell.
func (m *making) delete() bool {
	old := m.old()
	if old == nil {
		return false
	}
	m.send("DELETE", extant.OperationDelete, nil, nil, old)
	if m.chance(25) {
		policy := pick(m.Generator, "Background", "Orphan")
		m.query.Set("propagationPolicy", policy)
		m.request.Review.Options = options("DeleteOptions", m.dry, "propagationPolicy", policy)
	}
	return true
}

// deleteCollection deletes the one object of a name as a collection.
func (m *making) deleteCollection() bool {
	old := m.old()
	if old == nil || m.kind.Resource == "namespaces" || m.kind.Resource == "services" {
		return false
	}
	m.query.Set("fieldSelector", "metadata.name="+m.name)
	m.name = ""
	m.send("DELETE", extant.OperationDelete, nil, nil, old)
	return true
}
