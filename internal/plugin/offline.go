package plugin

import (
	"context"
	"io"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/registry/review"
)

// offline answers over a dump, as the API would. Nobody is asked who may name
// whom: whoever can read the dump knows all that it says. Whose request it is,
// is not known unless the review says so.
func offline[S, H runtime.Object](ctx context.Context, k kind[S, H], path string, in io.Reader) (asker[S], error) {
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
	creater := storage[k.resource].(rest.Creater)
	return func(ctx context.Context, asked S) (answer S, err error) {
		install.Scheme.Default(asked)
		hub := k.newHub()
		if err := install.Scheme.Convert(asked, hub, nil); err != nil {
			return answer, err
		}
		answered, err := creater.Create(ctx, hub, rest.ValidateAllObjectFunc, &metav1.CreateOptions{})
		if err != nil {
			return answer, err
		}
		answer = k.newServed()
		return answer, install.Scheme.Convert(answered, answer, nil)
	}, nil
}
