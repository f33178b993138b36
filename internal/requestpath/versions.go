package requestpath

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission/plugin/manifest"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// What the API server does with hooks changed over time. The rules here are
// those of the observed cluster's version; the library's matching code, which
// did not change between the versions that are known, is used for all.

var (
	// oldestRules is the oldest version whose rules are known.
	oldestRules = version.MustParseGeneric("1.30")
	// mutatingPolicies is the version since which mutating policies are on.
	mutatingPolicies = version.MustParseGeneric("1.36")
	// virtualExempt is the version since which webhooks don't see reviews
	// (feature gate ExcludeAdmissionWebhookVirtualResources, KEP-5681).
	virtualExempt = version.MustParseGeneric("1.37")
	// staticManifests is the version since which webhooks and policies can be
	// registered by files beside the API server (feature gate
	// ManifestBasedAdmissionControlConfig, KEP-5793).
	staticManifests = version.MustParseGeneric("1.37")
	// staticManifestsAlpha is the version since which that gate is there.
	staticManifestsAlpha = version.MustParseGeneric("1.36")
)

// virtualResources are asked and not stored. Policies never see them.
var virtualResources = sets.New(
	schema.GroupResource{Group: "authentication.k8s.io", Resource: "selfsubjectreviews"},
	schema.GroupResource{Group: "authentication.k8s.io", Resource: "tokenreviews"},
	schema.GroupResource{Group: "authorization.k8s.io", Resource: "localsubjectaccessreviews"},
	schema.GroupResource{Group: "authorization.k8s.io", Resource: "selfsubjectaccessreviews"},
	schema.GroupResource{Group: "authorization.k8s.io", Resource: "selfsubjectrulesreviews"},
	schema.GroupResource{Group: "authorization.k8s.io", Resource: "subjectaccessreviews"},
)

// policyResources are the policies and bindings themselves, which no policy
// sees.
var policyResources = sets.New(
	schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "validatingadmissionpolicies"},
	schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "validatingadmissionpolicybindings"},
	schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "mutatingadmissionpolicies"},
	schema.GroupResource{Group: "admissionregistration.k8s.io", Resource: "mutatingadmissionpolicybindings"},
)

// exemptions say why webhooks do not see a request: no webhook, or none that
// the API registers. Empty where they do.
type exemptions struct{ all, registered string }

// of returns why a webhook does not see the request, or nothing.
func (e exemptions) of(static bool) string {
	if e.all != "" || static {
		return e.all
	}
	return e.registered
}

func (t *tracer) exemptions(s *subject) exemptions {
	var e exemptions
	if virtualResources.Has(t.request.resource.GroupResource()) && t.version.AtLeast(virtualExempt) {
		e.all = fmt.Sprintf("webhooks never see %s since Kubernetes %s", t.request.resource.Resource, virtualExempt)
	}
	if rules.IsExemptAdmissionConfigurationResource(s.attributes) {
		e.registered = fmt.Sprintf("webhooks never see %s", t.request.resource.Resource)
	}
	return e
}

// exemptFromPolicies says why a policy does not see the request, or nothing.
func (t *tracer) exemptFromPolicies(static bool) string {
	switch resource := t.request.resource.GroupResource(); {
	case virtualResources.Has(resource):
		return fmt.Sprintf("policies never see %s", resource.Resource)
	case policyResources.Has(resource) && !static:
		return fmt.Sprintf("policies never see %s", resource.Resource)
	default:
		return ""
	}
}

// isStatic tells whether a webhook configuration, a policy or a binding of that
// name is registered by a file beside the API server. Older API servers have no
// such files, and the name is one like any other.
func isStatic(v *version.Version, name string) bool {
	return strings.HasSuffix(name, manifest.StaticConfigSuffix) && v.AtLeast(staticManifestsAlpha)
}

// declared counts the static registrations of a snapshot.
func declared(snapshot *cluster.Snapshot) int {
	n := 0
	for _, resource := range registrations {
		for object := range snapshot.Objects(resource).All() {
			if isStatic(snapshot.Version(), object.GetName()) {
				n++
			}
		}
	}
	return n
}

// gapsOf returns the gaps of a cluster that can have to do with an answer.
func gapsOf(snapshot *cluster.Snapshot) []extant.Gap {
	gaps := versionGaps(snapshot)
	for _, gap := range snapshot.Gaps() {
		if concerning.Has(gap.Resource) {
			gaps = append(gaps, extant.Gap{Resource: gap.Resource, Reason: string(gap.Reason), Message: gap.Message})
		}
	}
	return gaps
}

// versionGaps says what the version of the cluster hides.
func versionGaps(snapshot *cluster.Snapshot) []extant.Gap {
	v := snapshot.Version()
	var gaps []extant.Gap
	if v.LessThan(oldestRules) {
		gaps = append(gaps, extant.Gap{Resource: "version", Reason: string(cluster.GapAssumed),
			Message: fmt.Sprintf("the rules of Kubernetes %s are taken for those of %s", oldestRules, snapshot.GitVersion)})
	}
	switch n := declared(snapshot); {
	case n > 0:
		gaps = append(gaps, extant.Gap{Resource: cluster.StaticManifests, Reason: string(cluster.GapAssumed),
			Message: fmt.Sprintf("what files beside the API server register does not show in the API; it is taken to be the %d declared webhook configurations, policies and bindings", n)})
	case v.AtLeast(staticManifests):
		gaps = append(gaps, extant.Gap{Resource: cluster.StaticManifests, Reason: string(cluster.GapAssumed),
			Message: "webhooks and policies that files beside the API server register do not show in the API; it is taken to have none"})
	}
	return gaps
}
