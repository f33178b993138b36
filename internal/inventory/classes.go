package inventory

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Classes and drivers: cluster-scoped objects by which a plugin or controller
// offers itself by name. Where such an object says nothing else about itself,
// the domain of the controller or driver that it names tells whose it is; for
// a CSIDriver, the whole name of the driver does, as the vendors of storage
// have many drivers.

var csiDriver = mechanism{
	point:   "csi-driver",
	pattern: extant.PatternBinaryPlugin,
	reads:   []schema.GroupResource{csiDrivers},
	register: func(t *taker, point string) {
		for driver := range t.snapshot.CSIDrivers().All() {
			t.addRegistration(point, t.addNamed(csiDrivers, driver, driver.Name), 1)
		}
	},
}

var containerRuntime = mechanism{
	point:   "container-runtime",
	pattern: extant.PatternBinaryPlugin,
	reads:   []schema.GroupResource{runtimeClasses},
	register: func(t *taker, point string) {
		for class := range t.snapshot.RuntimeClasses().All() {
			t.addRegistration(point, t.add(runtimeClasses, class), 1)
		}
	},
}

var dynamicResourceDriver = mechanism{
	point:   "dynamic-resource-driver",
	pattern: extant.PatternBinaryPlugin,
	reads:   []schema.GroupResource{deviceClasses},
	register: func(t *taker, point string) {
		for class := range t.snapshot.DeviceClasses().All() {
			t.addRegistration(point, t.addNamed(deviceClasses, class, ownerDomain(class.Name)), 1)
		}
	},
}

var ingressClass = mechanism{
	point:   "ingress-class",
	pattern: extant.PatternController,
	reads:   []schema.GroupResource{ingressClasses},
	register: func(t *taker, point string) {
		for class := range t.snapshot.IngressClasses().All() {
			t.addRegistration(point, t.addNamed(ingressClasses, class, controllerDomain(class.Spec.Controller)), 1)
		}
	},
}

var gatewayClass = mechanism{
	point:   "gateway-class",
	pattern: extant.PatternController,
	reads:   []schema.GroupResource{gatewayClasses},
	register: func(t *taker, point string) {
		for class := range t.snapshot.GatewayClasses().All() {
			name, _, _ := unstructured.NestedString(class.Object, "spec", "controllerName")
			t.addRegistration(point, t.addNamed(gatewayClasses, class, controllerDomain(name)), 1)
		}
	},
}

// addNamed adds an object that a domain tells the owner of.
func (t *taker) addNamed(resource schema.GroupResource, object interface {
	GetName() string
	GetNamespace() string
}, domain string) int32 {
	i := t.add(resource, object)
	if domain != "" {
		t.parts[i].fallback = key{rank: rankDomain, value: domain}
	}
	return i
}
