package requestpath

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/policy/matching"
	corelisters "k8s.io/client-go/listers/core/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// criteria say which requests a webhook, a policy or a binding is for. The
// selectors are parsed once.
type criteria struct {
	resources         admissionregistrationv1.MatchResources
	namespace, object labels.Selector
	// err is why a selector cannot be parsed.
	err error
	// everything: no rules stand for all requests, as for policies; else for
	// none, as for webhooks.
	everything bool
	// What the library is asked: everything at once, or one predicate at a time,
	// so that the answer can say which one refused or is not known.
	whole, byNamespace, byObject, byRules predicate
}

func newCriteria(resources admissionregistrationv1.MatchResources, everything bool) *criteria {
	c := &criteria{resources: resources, everything: everything}
	var namespaceErr, objectErr error
	c.namespace, namespaceErr = metav1.LabelSelectorAsSelector(resources.NamespaceSelector)
	c.object, objectErr = metav1.LabelSelectorAsSelector(resources.ObjectSelector)
	c.err = errors.Join(namespaceErr, objectErr)
	c.whole = predicate{resources, c.namespace, c.object}
	c.byNamespace = predicate{namespace: c.namespace, object: labels.Everything()}
	c.byObject = predicate{namespace: labels.Everything(), object: c.object}
	c.byRules = predicate{resources, labels.Everything(), labels.Everything()}
	return c
}

// The library's matcher takes criteria by this interface.
var _ matching.MatchCriteria = (*predicate)(nil)

type predicate struct {
	resources         admissionregistrationv1.MatchResources
	namespace, object labels.Selector
}

func (p *predicate) GetParsedNamespaceSelector() (labels.Selector, error) { return p.namespace, nil }

func (p *predicate) GetParsedObjectSelector() (labels.Selector, error) { return p.object, nil }

func (p *predicate) GetMatchResources() admissionregistrationv1.MatchResources { return p.resources }

// matched is what comes of matching criteria.
type matched struct {
	result  extant.MatchResult
	reason  extant.HopReason
	message string
	// resource and kind are what the hook is sent.
	resource schema.GroupVersionResource
	kind     schema.GroupVersionKind
}

// notMatched says why something does not match, where anybody wants to know.
func (s *subject) notMatched(reason extant.HopReason, why func() string) matched {
	m := matched{result: extant.NotMatched, reason: reason}
	if s.explains {
		m.message = why()
	}
	return m
}

// subject is a request in a phase, as criteria are matched against it.
type subject struct {
	*request
	phase       phase
	object, old *document
	attributes  admission.Attributes
	matcher     *matching.Matcher
	interfaces  admission.ObjectInterfaces
	// explains: why something does not match is told.
	explains bool
}

// subject returns the request as it is now.
func (t *tracer) subject(p phase) *subject {
	r := t.request
	if before := t.before; before != nil && before.phase == p && before.object == t.object {
		return before
	}
	t.before = &subject{
		request: r, phase: p, object: t.object, old: t.old, attributes: r.attributes(p, t.object, t.old),
		matcher:    matching.NewMatcher(settledNamespaces{state: &r.objectNamespace}, nil),
		interfaces: objectInterfaces{equivalents: r.equivalents}, explains: t.spec.IncludeUnmatched,
	}
	return t.before
}

// match matches criteria in the order of the API server: namespace, object,
// rules. What is not known decides only where nothing else does.
func (s *subject) match(c *criteria) matched {
	if c.err != nil {
		return matched{result: extant.MatchUnknown, reason: extant.ReasonError, message: c.err.Error()}
	}
	if s.decides(c) {
		return s.matchWhole(c)
	}
	namespace := s.matchNamespace(c)
	if namespace.result == extant.NotMatched {
		return namespace
	}
	object := s.matchObject(c)
	if object.result == extant.NotMatched {
		return object
	}
	rules := s.matchRules(c)
	switch {
	case rules.result != extant.Matched:
		return rules
	case namespace.result == extant.MatchUnknown:
		namespace.resource, namespace.kind = rules.resource, rules.kind
		return namespace
	case object.result == extant.MatchUnknown:
		object.resource, object.kind = rules.resource, rules.kind
		return object
	default:
		return rules
	}
}

// decides tells whether nothing that criteria read is in doubt, and nobody wants
// to know which of them refused.
func (s *subject) decides(c *criteria) bool {
	if s.explains || s.unseenVersions != "" || s.objectNamespace.because != "" || s.isNamespace() || len(c.resources.ResourceRules) == 0 {
		return false
	}
	_, object := s.object.labelsKnown(c.object)
	_, old := s.old.labelsKnown(c.object)
	return object && old
}

// matchWhole matches criteria of which everything is known.
func (s *subject) matchWhole(c *criteria) matched {
	switch ok, resource, kind, err := s.ask(&c.whole); {
	case err != nil:
		return matched{result: extant.MatchUnknown, reason: extant.ReasonError, message: err.Error()}
	case ok:
		return matched{result: extant.Matched, reason: extant.ReasonRuleMatched, resource: resource, kind: kind}
	default:
		return matched{result: extant.NotMatched}
	}
}

func (s *subject) ask(p *predicate) (bool, schema.GroupVersionResource, schema.GroupVersionKind, error) {
	return s.matcher.Matches(s.attributes, s.interfaces, p)
}

func (s *subject) matchNamespace(c *criteria) matched {
	if c.namespace.Empty() || (s.namespace == "" && !s.isNamespace()) {
		return matched{result: extant.Matched}
	}
	if s.isNamespace() && s.subresource == "" && (s.operation == admission.Create || s.operation == admission.Update) {
		if why, known := s.object.labelsKnown(c.namespace); !known {
			return undetermined("the labels of the namespace are not known: %s", why)
		}
	} else if s.objectNamespace.because != "" {
		return undetermined("the labels of the namespace %q are not known: %s", s.namespace, s.objectNamespace.because)
	}
	ok, _, _, err := s.ask(&c.byNamespace)
	if err != nil {
		return matched{result: extant.MatchUnknown, reason: extant.ReasonError, message: err.Error()}
	}
	if !ok {
		return s.notMatched(extant.ReasonNamespaceSelector, func() string {
			return fmt.Sprintf("the namespaceSelector %q does not select the namespace %q", c.namespace, s.namespace)
		})
	}
	return matched{result: extant.Matched}
}

func (s *subject) matchObject(c *criteria) matched {
	if c.object.Empty() {
		return matched{result: extant.Matched}
	}
	documents := [...]*document{s.object, s.old}
	for _, one := range documents {
		if s.selects(c, one) {
			return matched{result: extant.Matched}
		}
	}
	for _, one := range documents {
		if why, known := one.labelsKnown(c.object); !known {
			return undetermined("the labels that the objectSelector %q asks for are not known: %s", c.object, why)
		}
	}
	ok, _, _, err := s.ask(&c.byObject)
	if err != nil {
		return matched{result: extant.MatchUnknown, reason: extant.ReasonError, message: err.Error()}
	}
	if !ok {
		return s.notMatched(extant.ReasonObjectSelector, func() string {
			return fmt.Sprintf("the objectSelector %q selects neither the object nor the one that is stored", c.object)
		})
	}
	return matched{result: extant.Matched}
}

// selects tells whether a selector selects a document for sure.
func (s *subject) selects(c *criteria, d *document) bool {
	if _, known := d.labelsKnown(c.object); !known {
		return false
	}
	return d.labelled() != nil && c.object.Matches(labels.Set(d.GetObjectMeta().GetLabels()))
}

func (s *subject) matchRules(c *criteria) matched {
	if len(c.resources.ResourceRules) == 0 && !c.everything {
		return s.notMatched(extant.ReasonNoRuleMatched, func() string { return "the hook has no rules" })
	}
	ok, resource, kind, err := s.ask(&c.byRules)
	switch {
	case err != nil:
		return matched{result: extant.MatchUnknown, reason: extant.ReasonError, message: err.Error()}
	case ok:
		return matched{result: extant.Matched, reason: extant.ReasonRuleMatched, resource: resource, kind: kind}
	case s.unseenVersions != "" && s.inAnyVersion(c):
		return undetermined("a rule names the resource in another version than the request, and which versions there are is not known: %s", s.unseenVersions)
	case s.excluded(c):
		return s.notMatched(extant.ReasonNoRuleMatched, func() string {
			return fmt.Sprintf("a rule of excludeResourceRules names %s", s.asked())
		})
	default:
		return s.notMatched(extant.ReasonNoRuleMatched, func() string {
			return fmt.Sprintf("no rule names %s", s.asked())
		})
	}
}

// inAnyVersion tells whether the rules name what is requested in any version,
// of which the one of the request would then be an equivalent.
func (s *subject) inAnyVersion(c *criteria) bool {
	if policy := c.resources.MatchPolicy; policy != nil && *policy == admissionregistrationv1.Exact {
		return false
	}
	wider := c.resources
	wider.ResourceRules = slices.Clone(wider.ResourceRules)
	for i := range wider.ResourceRules {
		wider.ResourceRules[i].APIVersions = []string{"*"}
	}
	ok, _, _, err := s.ask(&predicate{wider, labels.Everything(), labels.Everything()})
	return ok && err == nil
}

// excluded tells whether it is an exclusion that keeps the criteria from
// matching.
func (s *subject) excluded(c *criteria) bool {
	if len(c.resources.ExcludeResourceRules) == 0 {
		return false
	}
	included := c.resources
	included.ExcludeResourceRules = nil
	ok, _, _, err := s.ask(&predicate{included, labels.Everything(), labels.Everything()})
	return ok && err == nil
}

// asked is the request in the words of rules.
func (s *subject) asked() string {
	words := []string{string(s.operation), "of", s.named()}
	if s.resource.Group != "" {
		words = append(words, "in", s.resource.Group)
	}
	return strings.Join(append(words, "in the version", s.resource.Version), " ")
}

func undetermined(format string, args ...any) matched {
	return matched{result: extant.MatchUnknown, reason: extant.ReasonUndetermined, message: fmt.Sprintf(format, args...)}
}

// settledNamespaces hands the library the one namespace that it may ask for.
// It never says that there is none, since the library would then ask a live
// cluster.
type settledNamespaces struct {
	corelisters.NamespaceLister
	state *namespaceState
}

var errNamespaceUnsettled = errors.New("the namespace is not known")

func (n settledNamespaces) Get(string) (*corev1.Namespace, error) {
	if n.state.namespace == nil {
		return nil, errNamespaceUnsettled
	}
	return n.state.namespace, nil
}
