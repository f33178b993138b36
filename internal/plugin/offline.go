package plugin

import (
	"context"
	"io"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/registry/review"
)

// offline answers over a dump, as the API would. Nobody is asked who may name
// whom: whoever can read the dump knows all that it says. Whose request it is,
// is not known unless the review says so.
func offline(ctx context.Context, path string, in io.Reader) (reviewer, error) {
	source, err := dump.Open(ctx, path, dump.Options{Stdin: in})
	if err != nil {
		return nil, err
	}
	storage := review.Storage(review.Config{
		Source: source,
		Inventory: func(snapshot *cluster.Snapshot) (*inventory.Inventory, error) {
			return inventory.Take(snapshot, catalogue.Points(), nil), nil
		},
		Now: time.Now,
	})
	creater := storage["requestreviews"].(rest.Creater)
	return func(ctx context.Context, asked *v1alpha1.RequestReview) (*v1alpha1.RequestReview, error) {
		install.Scheme.Default(asked)
		var hub extant.RequestReview
		if err := install.Scheme.Convert(asked, &hub, nil); err != nil {
			return nil, err
		}
		answered, err := creater.Create(ctx, &hub, rest.ValidateAllObjectFunc, &metav1.CreateOptions{})
		if err != nil {
			return nil, err
		}
		served := &v1alpha1.RequestReview{}
		return served, install.Scheme.Convert(answered, served, nil)
	}, nil
}
