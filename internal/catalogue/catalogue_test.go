package catalogue

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/validation"
)

// names is the catalogue of the contract, in its order.
var names = map[extant.Pattern][]string{
	extant.PatternConfiguration: {"kube-apiserver-flags", "kube-controller-manager-flags", "kube-scheduler-configuration",
		"kubelet-configuration", "kube-proxy-configuration", "feature-gates", "admission-configuration-file"},
	extant.PatternPolicyAPI: {"resource-quota", "limit-range", "pod-security-admission", "pod-security-policy",
		"network-policy", "rbac", "priority-class", "validating-admission-policy", "mutating-admission-policy", "flow-control"},
	extant.PatternAPI: {"custom-resource-definition", "aggregated-api"},
	extant.PatternWebhook: {"authentication-token-webhook", "authorization-webhook", "mutating-admission-webhook",
		"validating-admission-webhook", "image-policy-webhook", "crd-conversion-webhook", "audit-webhook", "scheduler-extender"},
	extant.PatternController: {"controller", "cloud-controller-manager", "gateway-class", "ingress-class"},
	extant.PatternBinaryPlugin: {"kubectl-plugin", "client-go-credential-plugin", "scheduler-plugin", "cni-plugin", "csi-driver",
		"flex-volume", "device-plugin", "dynamic-resource-driver", "container-runtime", "kubelet-credential-provider", "kms-plugin"},
}

func TestTheCatalogueIsTheContracts(t *testing.T) {
	got := map[extant.Pattern][]string{}
	for _, point := range Points() {
		got[point.Spec.Pattern] = append(got[point.Spec.Pattern], point.Name)
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("catalogue (-contract +data):\n%s", diff)
	}
}

func TestEveryPointIsValidAndFilledIn(t *testing.T) {
	regions := map[extant.Region]bool{}
	for _, point := range Points() {
		if errs := validation.ValidateExtensionPoint(point); len(errs) > 0 {
			t.Errorf("%s: %v", point.Name, errs.ToAggregate())
		}
		spec := point.Spec
		regions[spec.Region] = true
		for field, empty := range map[string]bool{
			"summary":            spec.Summary == "",
			"useWhen":            len(spec.UseWhen) == 0,
			"tradeOffs":          len(spec.TradeOffs) == 0,
			"limits":             len(spec.Limits) == 0,
			"availability.since": spec.Availability.Since == "",
			"documentation":      spec.Documentation == "",
			"registeredBy": len(spec.RegisteredBy) == 0 &&
				point.Name != "kubectl-plugin" && point.Name != "client-go-credential-plugin",
		} {
			if empty {
				t.Errorf("%s: %s is empty", point.Name, field)
			}
		}
	}
	if len(regions) != 7 {
		t.Errorf("the points lie in %d of the seven regions", len(regions))
	}
}

func TestEveryShippedPolicyIsValidAndItsRulesCiteTheirSource(t *testing.T) {
	names := map[string]bool{}
	for _, policy := range Policies() {
		names[policy.Name] = true
		if errs := validation.ValidateExtensionPolicy(policy); len(errs) > 0 {
			t.Errorf("%s: %v", policy.Name, errs.ToAggregate())
		}
		if policy.Labels[extant.LabelOrigin] != extant.OriginBuiltin {
			t.Errorf("%s does not say where it comes from", policy.Name)
		}
		for _, rule := range policy.Spec.Rules {
			if rule.Documentation == "" || rule.Remediation == "" || rule.Message+rule.MessageExpression == "" {
				t.Errorf("%s/%s has no source, remediation or message", policy.Name, rule.Name)
			}
		}
	}
	if !names["baseline"] || !names["strict"] {
		t.Errorf("got %v", names)
	}
}
