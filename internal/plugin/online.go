package plugin

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
)

// online asks the cluster of the kubeconfig.
func online[S, H runtime.Object](k kind[S, H], kubeconfig *genericclioptions.ConfigFlags) (asker[S], error) {
	config, err := kubeconfig.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	client, err := versioned.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, review S) (answer S, err error) {
		answered, err := k.client(client).Create(ctx, review, metav1.CreateOptions{})
		switch {
		case utilnet.IsConnectionRefused(err):
			return answer, fmt.Errorf("nothing listens at %s: name a cluster by --kubeconfig or --context, or answer over a dump with --from", config.Host)
		case apierrors.IsNotFound(err):
			return answer, fmt.Errorf("the server at %s does not serve reviews: install Extant in the cluster, or answer over a dump with --from", config.Host)
		}
		return answered, err
	}, nil
}
