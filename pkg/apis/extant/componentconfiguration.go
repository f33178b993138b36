package extant

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ComponentConfiguration is the settings of one instance of a component of the
// observed cluster, as far as they can be seen. Secrets in them are redacted.
type ComponentConfiguration struct {
	metav1.TypeMeta
	// Standard object metadata. The name is <component>.<instance>.
	metav1.ObjectMeta

	// The settings.
	Spec ComponentConfigurationSpec
	// What is notable about them. Written by Extant.
	Status ComponentConfigurationStatus
}

// ComponentConfigurationSpec is the settings of one instance of a component.
type ComponentConfigurationSpec struct {
	// The component, such as kube-apiserver or kubelet.
	Component string
	// The instance: the node that it runs on, or the name of its pod.
	Instance string
	// The version of the component, such as v1.37.2.
	Version string
	// Where the settings were seen, such as /flagz, /configz or the command
	// line of a static pod. At most 256 characters.
	Source string
	// The flags, without leading dashes, with their values. At most 1024.
	Flags map[string]string
	// The feature gates that are set. At most 1024.
	FeatureGates map[string]bool
	// The configuration object that the component was started with. At most
	// 256 KiB.
	Configuration runtime.RawExtension
}

// ComponentConfigurationStatus is what is notable about an instance's settings.
type ComponentConfigurationStatus struct {
	// The instances of the component whose settings differ from these.
	DriftsFrom []string
	// The settings that are deprecated, or gone in the next minor version.
	Deprecated []string
	// The settings that differ from their defaults.
	Changed []string
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ComponentConfigurationList is a list of ComponentConfigurations.
type ComponentConfigurationList struct {
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// The configurations.
	Items []ComponentConfiguration
}
