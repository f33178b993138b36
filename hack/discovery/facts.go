package main

// oldest is the minor version with which the table starts.
const oldest = 20

// since has the resources that are younger than their kind in that version:
// subresources, as a rule.
var since = map[string]int{
	"v1 pods/ephemeralcontainers":       23,
	"v1 pods/resize":                    33,
	"storage.k8s.io/v1 csinodes/status": 37,
}

// gone has the resources of which not even the types are left.
var gone = []row{
	{groupVersion: "policy/v1beta1", resource: "podsecuritypolicies", kind: "PodSecurityPolicy", verbs: every, removed: 25},
	{groupVersion: "autoscaling/v2beta1", resource: "horizontalpodautoscalers", kind: "HorizontalPodAutoscaler", namespaced: true, verbs: every, removed: 25},
	{groupVersion: "autoscaling/v2beta1", resource: "horizontalpodautoscalers/status", kind: "HorizontalPodAutoscaler", namespaced: true, verbs: "get,patch,update", removed: 25},
	{groupVersion: "autoscaling/v2beta2", resource: "horizontalpodautoscalers", kind: "HorizontalPodAutoscaler", namespaced: true, verbs: every, removed: 26},
	{groupVersion: "autoscaling/v2beta2", resource: "horizontalpodautoscalers/status", kind: "HorizontalPodAutoscaler", namespaced: true, verbs: "get,patch,update", removed: 26},
}

// betaOnByDefault tells whether an API server served a beta version, of which
// no API server is left to ask, by default. Those from before 1.24 were, later
// ones only where they succeeded one that was (KEP-3136).
func betaOnByDefault(groupVersion string, since int) bool {
	return since < 24 || groupVersion == "flowcontrol.apiserver.k8s.io/v1beta3"
}
