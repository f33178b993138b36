package dump

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsinstall "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/extant-project/extant/internal/cluster"
)

// rowOf is the observed resource of a kind, in whatever version.
var rowOf = func() map[schema.GroupKind]*cluster.Resource {
	rows := map[schema.GroupKind]*cluster.Resource{}
	for i := range cluster.Resources {
		row := &cluster.Resources[i]
		rows[schema.GroupKind{Group: row.Group, Kind: row.Kind}] = row
	}
	return rows
}()

// decode reads an object as the API server does: names are case-sensitive and
// unknown ones are ignored, but a value of a wrong type is an error. Older
// versions have the same fields, with the exceptions in this file.
func decode(row *cluster.Resource, data []byte, version string) (runtime.Object, error) {
	if row.Kind == "CustomResourceDefinition" && version == "v1beta1" {
		return decodeOldDefinition(data)
	}
	read := row.New()
	if err := utiljson.Unmarshal(data, read); err != nil {
		return nil, err
	}
	if version == "v1beta1" {
		defaultOldWebhooks(read)
	}
	return read, nil
}

var definitionScheme = func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	apiextensionsinstall.Install(scheme)
	return scheme
}()

// decodeOldDefinition reads a v1beta1 CustomResourceDefinition, in which the
// version, the subresources and the conversion webhook are in other places.
func decodeOldDefinition(data []byte) (runtime.Object, error) {
	var old apiextensionsv1beta1.CustomResourceDefinition
	if err := utiljson.Unmarshal(data, &old); err != nil {
		return nil, err
	}
	definitionScheme.Default(&old)
	var hub apiextensions.CustomResourceDefinition
	if err := definitionScheme.Convert(&old, &hub, nil); err != nil {
		return nil, err
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := definitionScheme.Convert(&hub, &definition, nil); err != nil {
		return nil, err
	}
	return &definition, nil
}

// defaultOldWebhooks fills in the defaults of v1beta1, which were more lenient
// than those of v1 are.
func defaultOldWebhooks(read runtime.Object) {
	ignore, exact, timeout := admissionregistrationv1.Ignore, admissionregistrationv1.Exact, int32(30)
	set := func(policy **admissionregistrationv1.FailurePolicyType, match **admissionregistrationv1.MatchPolicyType, seconds **int32) {
		if *policy == nil {
			*policy = &ignore
		}
		if *match == nil {
			*match = &exact
		}
		if *seconds == nil {
			*seconds = &timeout
		}
	}
	switch configuration := read.(type) {
	case *admissionregistrationv1.MutatingWebhookConfiguration:
		for i := range configuration.Webhooks {
			hook := &configuration.Webhooks[i]
			set(&hook.FailurePolicy, &hook.MatchPolicy, &hook.TimeoutSeconds)
		}
	case *admissionregistrationv1.ValidatingWebhookConfiguration:
		for i := range configuration.Webhooks {
			hook := &configuration.Webhooks[i]
			set(&hook.FailurePolicy, &hook.MatchPolicy, &hook.TimeoutSeconds)
		}
	}
}
