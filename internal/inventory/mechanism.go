package inventory

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// mechanism is how extensions register at one extension point. A point without
// one is generic: what spec.registeredBy names registers there.
type mechanism struct {
	// point is the name of the extension point.
	point string
	// pattern is the point's, where the catalogue does not say it.
	pattern extant.Pattern
	// onFailure is the point's, where the catalogue does not say it.
	onFailure extant.OnFailure
	// reads are the resources of the registering objects.
	reads []schema.GroupResource
	// register adds what is registered. Absent where the objects only join
	// extensions: see join.go.
	register func(t *taker, point string)
	// counts tells whether an object of reads that only joins registers at the
	// point. Absent: all do.
	counts func(object metadata, name string) bool
}

// mechanisms is every mechanism, in the order in which hooks are listed.
var mechanisms = []mechanism{
	mutatingAdmissionWebhook,
	validatingAdmissionWebhook,
	validatingAdmissionPolicy,
	mutatingAdmissionPolicy,
	aggregatedAPI,
	crdConversionWebhook,
	customResourceDefinition,
	csiDriver,
	containerRuntime,
	dynamicResourceDriver,
	ingressClass,
	gatewayClass,
	cloudControllerManager,
	controller,
	podSecurityAdmission,
	resourceQuota,
	limitRange,
	networkPolicy,
	rbac,
	priorityClass,
	flowControl,
}

// mechanismOf returns the mechanism of a point, or nil.
func mechanismOf(point string) *mechanism {
	for i := range mechanisms {
		if mechanisms[i].point == point {
			return &mechanisms[i]
		}
	}
	return nil
}

// patternOf is a point's pattern.
func (t *taker) patternOf(point string) extant.Pattern {
	if p, ok := t.pointOf[point]; ok {
		return p.Spec.Pattern
	}
	if m := mechanismOf(point); m != nil {
		return m.pattern
	}
	return ""
}

// failureOf is what the loss of a hook's backend does to requests.
func (t *taker) failureOf(hook *Hook) extant.FailureMode {
	onFailure := extant.OnFailure("")
	if p, ok := t.pointOf[hook.Point]; ok {
		onFailure = p.Spec.OnFailure
	} else if m := mechanismOf(hook.Point); m != nil {
		onFailure = m.onFailure
	}
	switch onFailure {
	case extant.OnFailureSkips:
		return extant.FailureModeSkips
	case extant.OnFailureDegrades:
		return extant.FailureModeDegrades
	case extant.OnFailureConfigurable:
		if hook.FailurePolicy == "Ignore" {
			return extant.FailureModeSkips
		}
	}
	return extant.FailureModeBlocks
}

// addHook adds a hook of a registering object, with the backend that it calls.
func (t *taker) addHook(hook Hook, target target) {
	if target != nil {
		hook.Backend = t.call(&hook, target)
	}
	t.hooks = append(t.hooks, hook)
}

// addRegistration tells that an object registers at a point.
func (t *taker) addRegistration(point string, part int32, hooks int) {
	t.registrations = append(t.registrations, registration{point, part, int32(hooks)})
	t.counted[point] += int32(hooks)
}
