package truth

import (
	"slices"
	"strings"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// vitalProbes are the requests that say what came of a vital operation, by the
// beginning of their names. Where no request is the same operation, one stands
// for it that every recorded hook treats alike: slices that are created for
// those that are updated, and likewise CustomResourceDefinitions.
var vitalProbes = []struct {
	operation string
	probes    []string
}{
	{"create-pods-kube-system", []string{"create-pods/kube-system"}},
	{"bind-pods-kube-system", []string{"bind-pods/kube-system"}},
	{"update-pod-status-kube-system", []string{"update-pods-status/kube-system"}},
	{"create-tokens-kube-system", []string{"create-serviceaccounts-token/kube-system"}},
	{"update-endpointslices-kube-system", []string{"create-endpointslices/kube-system"}},
	{"update-node-status", []string{"update-nodes-status"}},
	{"update-node-leases", []string{"renew-node-lease"}},
	{"update-leader-leases", []string{"renew-controller-manager-lease", "renew-scheduler-lease"}},
	{"create-namespaces", []string{"create-namespaces"}},
	{"delete-namespaces", []string{"delete-namespaces"}},
	{"create-events", []string{"create-events/kube-system"}},
	{"update-crds", []string{"update/customresourcedefinitions/", "create-customresourcedefinitions"}},
	{"update-apiservices", []string{"update/apiservices/"}},
	{"update-webhook-configurations", []string{"update/validatingwebhookconfigurations/", "update/mutatingwebhookconfigurations/"}},
}

// vital compares the verdicts on the operations that keep a cluster alive.
func (c *OutageComparison) vital() {
	for _, vital := range vitalProbes {
		want := c.happened(vital.probes)
		if want == "" {
			continue // No such request was made, or they ended differently.
		}
		i := slices.IndexFunc(c.status.Vital, func(v extant.VitalOperation) bool { return v.Name == vital.operation })
		if i < 0 {
			c.wrong("there is no verdict on %s", vital.operation)
			continue
		}
		said := &c.status.Vital[i]
		switch said.Verdict {
		case want:
			if want != extant.VitalAllowed && len(said.By) == 0 {
				c.wrong("%s is %s by no hook", vital.operation, said.Verdict)
			}
		case extant.VitalUnknown:
			c.Unknown = append(c.Unknown, vital.operation+": "+said.Message)
			if said.Message == "" {
				c.wrong("%s is Unknown without a reason", vital.operation)
			}
		default:
			c.wrong("%s is %s (%s) and was %s", vital.operation, said.Verdict, said.Message, want)
		}
	}
}

// happened returns what came of the requests whose names begin so: Blocked
// where the time of the component that makes them ran out, Delayed where it did
// not and they waited for a backend.
func (c *OutageComparison) happened(probes []string) extant.VitalVerdict {
	var verdicts []extant.VitalVerdict
	add := func(of []Probe, verdict func(*Probe) extant.VitalVerdict) {
		for i := range of {
			for _, begin := range probes {
				if of[i].Name == begin || strings.HasSuffix(begin, "/") && strings.HasPrefix(of[i].Name, begin) {
					verdicts = append(verdicts, verdict(&of[i]))
				}
			}
		}
	}
	refused := func(*Probe) extant.VitalVerdict { return extant.VitalBlocked }
	add(c.outage.Truth.Blocked, refused)
	add(c.outage.Truth.Denied, refused)
	add(c.outage.Truth.Allowed, func(p *Probe) extant.VitalVerdict {
		if p.Seconds >= slow {
			return extant.VitalDelayed
		}
		return extant.VitalAllowed
	})
	if verdicts = slices.Compact(verdicts); len(verdicts) != 1 {
		return ""
	}
	return verdicts[0]
}
