package requestpath

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/version"
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

// exemptFromWebhooks says why no webhook sees the request, or nothing.
func (t *tracer) exemptFromWebhooks() string {
	switch {
	case virtualResources.Has(t.request.resource.GroupResource()) && t.version.AtLeast(virtualExempt):
		return fmt.Sprintf("webhooks never see %s since Kubernetes %s", t.request.resource.Resource, virtualExempt)
	case rules.IsExemptAdmissionConfigurationResource(t.request.attributes(mutatingPhase, nil, nil)):
		return fmt.Sprintf("webhooks never see %s", t.request.resource.Resource)
	default:
		return ""
	}
}

// exemptFromPolicies says why no policy sees the request, or nothing.
func (t *tracer) exemptFromPolicies() string {
	resource := t.request.resource.GroupResource()
	if virtualResources.Has(resource) || policyResources.Has(resource) {
		return fmt.Sprintf("policies never see %s", resource.Resource)
	}
	return ""
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
	if v.AtLeast(staticManifests) {
		gaps = append(gaps, extant.Gap{Resource: "static manifests", Reason: string(cluster.GapAssumed),
			Message: "webhooks and policies that files beside the API server register do not show in the API; it is taken to have none"})
	}
	return gaps
}
