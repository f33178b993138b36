package prober

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// tell says once what changed, in the log and to people who look at events. An
// end is told of what was told to begin.
func (c *Controller) tell(ctx context.Context, before *v1alpha1.Backend, now *v1alpha1.BackendStatus) {
	logger := klog.FromContext(ctx)
	for _, condition := range now.Conditions {
		was, why := metav1.ConditionStatus(""), ""
		if stored := meta.FindStatusCondition(before.Status.Conditions, condition.Type); stored != nil {
			was, why = stored.Status, stored.Reason
		}
		begins, ends := condition.Status == metav1.ConditionFalse, was == metav1.ConditionFalse && condition.Status == metav1.ConditionTrue
		if was == condition.Status && (!begins || why == condition.Reason) {
			continue // another link that breaks is news
		}
		if was == "" && !begins {
			continue // nothing was known, and nothing is wrong
		}
		logger.Info("A backend changed", "backend", klog.KObj(before), "condition", condition.Type,
			"from", was, "to", condition.Status, "reason", condition.Reason, "message", condition.Message)
		if c.Events == nil || !begins && !ends {
			continue
		}
		// The informer's objects have no kind.
		about := &corev1.ObjectReference{
			APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "Backend", Name: before.Name, UID: before.UID,
		}
		switch {
		case condition.Type == extant.ConditionAvailable && begins:
			c.Events.Event(about, corev1.EventTypeWarning, condition.Reason, condition.Message)
		case condition.Type == extant.ConditionAvailable:
			c.Events.Event(about, corev1.EventTypeNormal, "Available", condition.Message)
		case begins:
			c.Events.Event(about, corev1.EventTypeWarning, "Certificate"+condition.Reason, condition.Message)
		default:
			c.Events.Event(about, corev1.EventTypeNormal, "CertificateValid", "every hook trusts the certificate")
		}
	}
}
