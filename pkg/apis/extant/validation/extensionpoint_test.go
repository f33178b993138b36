package validation

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

func TestAWrongRegistrationIsSaidInTheWordsOfTheAPI(t *testing.T) {
	path := field.NewPath("spec", "registeredBy").Index(0)
	for _, test := range []struct {
		registration extant.Registration
		want         string
	}{
		{extant.Registration{Component: "kube-apiserver"}, "spec.registeredBy[0]: Invalid value: must have either flag or configField beside component"},
		{extant.Registration{}, "spec.registeredBy[0]: Invalid value: must have exactly one form: group and resource, component and flag, component and configField, namespaceLabel, or nodePlugin"},
		{extant.Registration{Resource: "deployments", NodePlugin: "CNI"}, "spec.registeredBy[0]: Invalid value: must have exactly one form"},
		{extant.Registration{Resource: "secrets"}, "spec.registeredBy[0].resource: Forbidden: secrets are not observed"},
		{extant.Registration{Component: "kubelet", Flag: "config"}, `spec.registeredBy[0].flag: Invalid value: "config": must be a flag with its leading dashes and without a value`},
	} {
		errs := validateRegistration(test.registration, path)
		if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), test.want) {
			t.Errorf("got %v, want %s", errs, test.want)
		}
	}
}
