package finding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/common/types/ref"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/policyenv"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// subjectKey is what a rule is evaluated for.
type subjectKey struct {
	of extant.PolicySubject
	extant.FindingSubject
}

// subject is one hook, backend, extension, report or component, with what came
// of the rules for it. One that is the same in the next pass keeps its outcomes.
type subject struct {
	key subjectKey
	// extension is the name of the Extension that it belongs to, or empty.
	extension string
	value     ref.Val
	outcomes  map[*program]outcome
	// asked is what the evaluation that runs has asked for.
	asked asked

	hook *inventory.Hook
	// paramKindServed is the one field of a hook that hangs on more than what
	// registers it.
	paramKindServed bool

	backend *extant.Backend
	object  runtime.Object
}

func (s *subject) String() string {
	parts := []string{cmp.Or(s.key.Kind, s.key.Resource), s.key.Namespace, s.key.Name, s.key.Hook}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), " ")
}

// takeSubjects brings the subjects in line with the input.
func (e *Engine) takeSubjects(input *Input) {
	before := e.subjects
	e.subjects = make(map[subjectKey]*subject, len(before))
	keep := func(s *subject, same func(known *subject) bool, value func() ref.Val) {
		known, ok := before[s.key]
		if !ok || known.extension != s.extension || !same(known) {
			s.outcomes, s.value = map[*program]outcome{}, value()
			known = s
		} else {
			// The functions answer from the newest cluster.
			known.hook, known.backend, known.object = s.hook, s.backend, s.object
		}
		e.subjects[s.key] = known
	}
	found := input.Observed.Inventory
	owners := map[string]string{}
	for i := range found.Extensions {
		for _, name := range found.Extensions[i].Status.Backends {
			if _, ok := owners[name]; !ok {
				owners[name] = found.Extensions[i].Name
			}
		}
	}
	for i := range found.Hooks {
		s := &subject{key: keyOfHook(&found.Hooks[i]), extension: found.Hooks[i].Extension, hook: &found.Hooks[i]}
		s.paramKindServed = e.facts.paramKindServed(s.hook)
		keep(s, func(known *subject) bool {
			return known.paramKindServed == s.paramKindServed && sameHook(known.hook, s.hook)
		},
			func() ref.Val { return policyenv.Hook(fieldsOf(s.hook, e.facts), hookAnswers{e, s}) })
	}
	for i := range found.Backends {
		s := &subject{key: keyOfObject(extant.PolicySubjectBackend, "Backend", found.Backends[i].Name), backend: &found.Backends[i]}
		s.extension = owners[s.backend.Name]
		keep(s, func(known *subject) bool { return reflect.DeepEqual(known.backend, s.backend) },
			func() ref.Val {
				return policyenv.Backend(served(s.backend, &v1alpha1.Backend{}), backendAnswers{e, s})
			})
	}
	for _, extension := range input.Extensions {
		s := &subject{key: keyOfObject(extant.PolicySubjectExtension, "Extension", extension.Name), extension: extension.Name, object: extension}
		keep(s, func(known *subject) bool { return known.object == s.object }, func() ref.Val {
			return policyenv.Object(extant.PolicySubjectExtension, served(extension, &v1alpha1.Extension{}))
		})
	}
	for _, report := range input.Reports {
		s := &subject{key: keyOfObject(extant.PolicySubjectNodePluginReport, "NodePluginReport", report.Name), object: report}
		keep(s, func(known *subject) bool { return known.object == s.object }, func() ref.Val {
			return policyenv.Object(extant.PolicySubjectNodePluginReport, served(report, &v1alpha1.NodePluginReport{}))
		})
	}
	for _, component := range input.Components {
		s := &subject{key: keyOfObject(extant.PolicySubjectComponentConfiguration, "ComponentConfiguration", component.Name), object: component}
		keep(s, func(known *subject) bool { return known.object == s.object }, func() ref.Val {
			return policyenv.Object(extant.PolicySubjectComponentConfiguration, served(component, &v1alpha1.ComponentConfiguration{}))
		})
	}
	e.order()
}

// order puts the subjects of each kind in order.
func (e *Engine) order() {
	e.ordered = map[extant.PolicySubject][]*subject{}
	for key, s := range e.subjects {
		e.ordered[key.of] = append(e.ordered[key.of], s)
	}
	for _, of := range e.ordered {
		slices.SortFunc(of, func(x, y *subject) int {
			a, b := &x.key, &y.key
			return cmp.Or(strings.Compare(a.Resource, b.Resource), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name), strings.Compare(a.Hook, b.Hook))
		})
	}
}

func keyOfObject(of extant.PolicySubject, kind, name string) subjectKey {
	return subjectKey{of, extant.FindingSubject{Kind: kind, Name: name}}
}

// keyOfHook names a hook by the object that registers it.
func keyOfHook(h *inventory.Hook) subjectKey {
	group := "admissionregistration.k8s.io"
	switch {
	case h.APIService != nil:
		group = "apiregistration.k8s.io"
	case h.Definition != nil:
		group = "apiextensions.k8s.io"
	}
	return subjectKey{extant.PolicySubjectHook, extant.FindingSubject{Group: group, Resource: h.Resource, Name: h.Object, Hook: h.Name}}
}

// sameHook tells whether a hook is registered by the same object, which is
// never changed, and belongs to the same.
func sameHook(x, y *inventory.Hook) bool {
	return x.Point == y.Point && x.Index == y.Index && x.Backend == y.Backend && x.FailurePolicy == y.FailurePolicy &&
		x.MutatingConfiguration == y.MutatingConfiguration && x.ValidatingConfiguration == y.ValidatingConfiguration &&
		x.MutatingPolicy == y.MutatingPolicy && x.MutatingBinding == y.MutatingBinding &&
		x.ValidatingPolicy == y.ValidatingPolicy && x.ValidatingBinding == y.ValidatingBinding &&
		x.APIService == y.APIService && x.Definition == y.Definition
}

// served returns an object in the form that is served, as JSON has it.
func served(hub, into runtime.Object) map[string]any {
	if err := install.Scheme.Convert(hub, into, nil); err != nil {
		return map[string]any{} // every object of the API can be converted
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(into)
	if err != nil {
		return map[string]any{}
	}
	return fields
}

// nameOf is the name of a finding: the same for as long as the rule is broken
// by the same subject.
func nameOf(policy, rule string, of extant.FindingSubject) string {
	const longest = 253
	text, _ := json.Marshal(of) // a struct of strings
	sum := sha256.Sum256(append([]byte(policy+"/"+rule+"/"), text...))
	suffix := "." + rule + "." + hex.EncodeToString(sum[:5])
	if over := len(policy) + len(suffix) - longest; over > 0 {
		policy = strings.TrimRight(policy[:len(policy)-over], ".-")
	}
	return policy + suffix
}

// cut bounds a message, at the end of a character.
func cut(message string) string {
	const most = 1024
	if utf8.RuneCountInString(message) <= most {
		return strings.ToValidUTF8(message, "")
	}
	return strings.ToValidUTF8(string([]rune(message)[:most-1])+"…", "")
}
