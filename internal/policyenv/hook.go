package policyenv

import "k8s.io/kube-openapi/pkg/validation/spec"

// hookSchema is the type of the variable hook. A hook is no object of the API,
// so that its fields are declared here; internal/finding fills them in.
func hookSchema() *spec.Schema {
	fields := map[string]spec.Schema{
		"point":                text("The name of the ExtensionPoint, such as validating-admission-webhook."),
		"resource":             text("The resource of the object that registers the hook, such as validatingwebhookconfigurations."),
		"object":               text("The name of the object that registers the hook; of a policy binding, that of the policy."),
		"name":                 text("The name of the hook in the object."),
		"failurePolicy":        text("Fail or Ignore; empty where the point leaves no choice."),
		"timeoutSeconds":       integer("Seconds after which the caller gives up; 0 where nothing is called or it is not known."),
		"path":                 text("The path that is called; empty where none is."),
		"backend":              text("The name of the Backend that is called; empty for policies, which run in the API server."),
		"extension":            text("The name of the Extension that the hook belongs to; empty where there is none."),
		"rules":                list("The rules of a webhook, as they are written; empty for other hooks.", ruleSchema()),
		"matchPolicy":          text("Exact or Equivalent, of a webhook; else empty."),
		"sideEffects":          text("The side effects that a webhook declares; else empty."),
		"reinvocationPolicy":   text("Never or IfNeeded, of a mutating webhook; else empty."),
		"hasNamespaceSelector": boolean("Whether a webhook has a namespaceSelector that is not empty."),
		"hasObjectSelector":    boolean("Whether a webhook has an objectSelector that is not empty."),
		"matchConditions":      integer("The number of match conditions of a webhook or policy."),
		"hasCABundle":          boolean("Whether the registration has a caBundle."),
		"url":                  text("The URL that is called, where the registration names no Service."),
		"policyFound":          boolean("For a policy binding, whether its policy is there; else true."),
		"paramKindServed":      boolean("For a policy binding, whether the observed cluster serves the kind of the policy's params; true where it has none."),
	}
	return object("One single interception that an extension registers: an entry of a webhook configuration, a policy binding, an APIService, or the conversion of a CRD.", fields)
}

func ruleSchema() spec.Schema {
	return *object("A rule of a webhook.", map[string]spec.Schema{
		"operations":  list("CREATE, UPDATE, DELETE, CONNECT or *.", text("")),
		"apiGroups":   list("The API groups; * is all.", text("")),
		"apiVersions": list("The versions; * is all.", text("")),
		"resources":   list("The resources, with subresources behind a slash; * is all.", text("")),
		"scope":       text("Cluster, Namespaced or *."),
	})
}

func object(description string, properties map[string]spec.Schema) *spec.Schema {
	s := described("object", description)
	s.Properties = properties
	for name := range properties {
		s.Required = append(s.Required, name)
	}
	return &s
}

func list(description string, items spec.Schema) spec.Schema {
	s := described("array", description)
	s.Items = &spec.SchemaOrArray{Schema: &items}
	return s
}

func text(description string) spec.Schema { return described("string", description) }

func boolean(description string) spec.Schema { return described("boolean", description) }

func integer(description string) spec.Schema {
	s := described("integer", description)
	s.Format = "int64"
	return s
}

func described(of, description string) spec.Schema {
	return spec.Schema{SchemaProps: spec.SchemaProps{Type: spec.StringOrArray{of}, Description: description}}
}
