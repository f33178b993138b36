package observe

import (
	"context"
	"errors"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/dynamic"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
)

const (
	// askTimeout is how long the cluster may take for one answer.
	askTimeout = 5 * time.Second
	// maxListed bounds the objects that are read to select some of them.
	maxListed = 1000
)

// Asker asks the observed cluster what no object shows it: who may do what,
// and the params of policies, which are not observed. Nothing is kept. An error
// means that it cannot be told, and says why in words for people.
type Asker struct {
	reviews authorizationclient.SubjectAccessReviewInterface
	objects dynamic.Interface
}

// NewAsker returns an Asker of the cluster that a config names.
func NewAsker(config *rest.Config) (*Asker, error) {
	config = rest.CopyConfig(config)
	config.UserAgent, config.Timeout = "extant-reviews", askTimeout
	if config.QPS == 0 {
		// As the library's own delegated authorization.
		config.QPS, config.Burst = 200, 400
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	authorization, err := authorizationclient.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	objects, err := dynamic.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	return &Asker{reviews: authorization.SubjectAccessReviews(), objects: objects}, nil
}

// Authorize says whether a user may do something, by a SubjectAccessReview.
func (a *Asker) Authorize(ctx context.Context, attributes authorizer.Attributes) (authorizer.Decision, string, error) {
	review, err := accessReview(attributes)
	if err != nil {
		return authorizer.DecisionNoOpinion, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer, err := a.reviews.Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return authorizer.DecisionNoOpinion, "", fmt.Errorf("the cluster could not be asked who may do that: %w", inWords(err))
	}
	switch status := answer.Status; {
	case status.Allowed && !status.Denied:
		return authorizer.DecisionAllow, status.Reason, nil
	case status.EvaluationError != "":
		return authorizer.DecisionNoOpinion, status.Reason, errors.New(status.EvaluationError)
	case status.Denied:
		return authorizer.DecisionDeny, status.Reason, nil
	default:
		return authorizer.DecisionNoOpinion, status.Reason, nil
	}
}

// accessReview puts a question of an authorizer into an object.
func accessReview(a authorizer.Attributes) (*authorizationv1.SubjectAccessReview, error) {
	who := a.GetUser()
	if who == nil {
		return nil, errors.New("it is not known whose request it is")
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: who.GetName(), UID: who.GetUID(), Groups: who.GetGroups(),
	}}
	for key, values := range who.GetExtra() {
		if review.Spec.Extra == nil {
			review.Spec.Extra = map[string]authorizationv1.ExtraValue{}
		}
		review.Spec.Extra[key] = values
	}
	if !a.IsResourceRequest() {
		review.Spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: a.GetPath(), Verb: a.GetVerb()}
		return review, nil
	}
	review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
		Namespace: a.GetNamespace(), Verb: a.GetVerb(), Group: a.GetAPIGroup(), Version: a.GetAPIVersion(),
		Resource: a.GetResource(), Subresource: a.GetSubresource(), Name: a.GetName(),
	}
	// A selector that cannot be parsed narrows nothing.
	if requirements, err := a.GetFieldSelector(); err == nil && len(requirements) > 0 {
		review.Spec.ResourceAttributes.FieldSelector = &authorizationv1.FieldSelectorAttributes{Requirements: fieldRequirements(requirements)}
	}
	if requirements, err := a.GetLabelSelector(); err == nil && len(requirements) > 0 {
		review.Spec.ResourceAttributes.LabelSelector = &authorizationv1.LabelSelectorAttributes{Requirements: labelRequirements(requirements)}
	}
	return review, nil
}

func fieldRequirements(requirements fields.Requirements) []metav1.FieldSelectorRequirement {
	var all []metav1.FieldSelectorRequirement
	for _, r := range requirements {
		operator := metav1.FieldSelectorOpIn
		if r.Operator == "!=" {
			operator = metav1.FieldSelectorOpNotIn
		}
		all = append(all, metav1.FieldSelectorRequirement{Key: r.Field, Operator: operator, Values: []string{r.Value}})
	}
	return all
}

func labelRequirements(requirements labels.Requirements) []metav1.LabelSelectorRequirement {
	operators := map[string]metav1.LabelSelectorOperator{
		"=": metav1.LabelSelectorOpIn, "==": metav1.LabelSelectorOpIn, "in": metav1.LabelSelectorOpIn,
		"!=": metav1.LabelSelectorOpNotIn, "notin": metav1.LabelSelectorOpNotIn,
		"exists": metav1.LabelSelectorOpExists, "!": metav1.LabelSelectorOpDoesNotExist,
	}
	var all []metav1.LabelSelectorRequirement
	for _, r := range requirements {
		// Comparisons have no form in an access review; without them the question
		// is wider than what was asked.
		if operator, ok := operators[string(r.Operator())]; ok {
			all = append(all, metav1.LabelSelectorRequirement{Key: r.Key(), Operator: operator, Values: r.ValuesUnsorted()})
		}
	}
	return all
}

// Get returns an object, or nil where there is none.
func (a *Asker) Get(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	if err := readable(resource); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	found, err := a.objects.Resource(resource).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return found, inWords(err)
}

// List returns the objects in a namespace that a selector selects.
func (a *Asker) List(ctx context.Context, resource schema.GroupVersionResource, namespace string, selector labels.Selector) ([]*unstructured.Unstructured, error) {
	if err := readable(resource); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	list, err := a.objects.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector.String(), Limit: maxListed})
	switch {
	case err != nil:
		return nil, inWords(err)
	case list.GetContinue() != "":
		return nil, fmt.Errorf("there are more than %d", maxListed)
	}
	found := make([]*unstructured.Unstructured, len(list.Items))
	for i := range list.Items {
		found[i] = &list.Items[i]
	}
	return found, nil
}

// readable refuses secrets, even where Extant was given the right to read them.
func readable(resource schema.GroupVersionResource) error {
	if resource.Group == "" && resource.Resource == "secrets" {
		return errors.New("secrets are never read")
	}
	return nil
}

// inWords shortens what clients say.
func inWords(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %s", askTimeout)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("forbidden: %w", err)
	}
	return err
}
