package policyenv

import (
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// scheme knows the served kinds, for the names of their schemas.
func scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		panic(err)
	}
	return s
}
