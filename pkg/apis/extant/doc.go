// +k8s:deepcopy-gen=package
// +groupName=extant.dev

// Package extant holds the hub types of the API group extant.dev: the
// vocabulary that engines, registries and controllers share. Served versions
// convert to and from it. It stands on apimachinery alone and does nothing.
package extant
