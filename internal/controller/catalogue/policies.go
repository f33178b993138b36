package catalogue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/klog/v2"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	client "github.com/extant-project/extant/pkg/generated/clientset/versioned/typed/extant/v1alpha1"
)

// Shipped policies are not kept as points are: an administrator may edit and
// delete them. They are created when Extant starts for the first time, which is
// when the API has no built-in point yet. At later starts, rules that nobody
// edited are brought up to date, whether the policy is paused or not; what was
// deleted stays deleted.

// policies ships the policies of the catalogue.
type policies struct {
	shipped []*v1alpha1.ExtensionPolicy
	client  client.ExtensionPolicyInterface
}

func newPolicies(shipped []*extant.ExtensionPolicy, client client.ExtensionPoliciesGetter) (*policies, error) {
	p := &policies{client: client.ExtensionPolicies()}
	for _, policy := range shipped {
		served := &v1alpha1.ExtensionPolicy{}
		if err := install.Scheme.Convert(policy, served, nil); err != nil {
			return nil, fmt.Errorf("could not convert policy %s: %w", policy.Name, err)
		}
		served = served.DeepCopy()
		digest, err := digestOf(served.Spec.Rules)
		if err != nil {
			return nil, err
		}
		metav1.SetMetaDataAnnotation(&served.ObjectMeta, extant.AnnotationShipped, digest)
		p.shipped = append(p.shipped, served)
	}
	return p, nil
}

// digestOf tells rules apart.
func digestOf(rules []v1alpha1.PolicyRule) (string, error) {
	text, err := json.Marshal(rules)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

// ship writes the policies until each is as it should be, or the context ends.
func (p *policies) ship(ctx context.Context, first bool) {
	backoff := wait.Backoff{Duration: time.Second, Factor: 2, Steps: 6, Cap: time.Minute}
	for _, policy := range p.shipped {
		logged := false
		_ = backoff.DelayFunc().Until(ctx, true, true, func(ctx context.Context) (bool, error) {
			err := p.shipOne(ctx, policy, first)
			if err != nil && ctx.Err() == nil && !logged {
				klog.FromContext(ctx).Error(err, "Could not ship a policy", "extensionPolicy", klog.KRef("", policy.Name))
				logged = true
			}
			// What the API refuses for good must not keep the points waiting.
			return err == nil || apierrors.IsInvalid(err) || apierrors.IsForbidden(err), nil
		})
	}
}

func (p *policies) shipOne(ctx context.Context, policy *v1alpha1.ExtensionPolicy, first bool) error {
	if first {
		_, err := p.client.Create(ctx, policy, metav1.CreateOptions{FieldManager: FieldManager})
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	}
	stored, err := p.client.Get(ctx, policy.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil // deleted, on purpose
	}
	if err != nil {
		return err
	}
	digest, err := digestOf(stored.Spec.Rules)
	edited := digest != stored.Annotations[extant.AnnotationShipped]
	if err != nil || edited || stored.Annotations[extant.AnnotationReconcile] == "false" || equality.Semantic.DeepEqual(stored.Spec.Rules, policy.Spec.Rules) {
		return err
	}
	updated := stored.DeepCopy()
	updated.Spec.Rules = policy.Spec.Rules
	metav1.SetMetaDataAnnotation(&updated.ObjectMeta, extant.AnnotationShipped, policy.Annotations[extant.AnnotationShipped])
	_, err = p.client.Update(ctx, updated, metav1.UpdateOptions{FieldManager: FieldManager})
	return err
}
