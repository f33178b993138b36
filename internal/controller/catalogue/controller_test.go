package catalogue

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubetesting "k8s.io/client-go/testing"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned/fake"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions"
)

// TestAReplicaThatLeadsAgainKeepsThePointsAgain runs two terms of one
// controller, as a replica does that loses the Lease and gets it back.
func TestAReplicaThatLeadsAgainKeepsThePointsAgain(t *testing.T) {
	client := fake.NewSimpleClientset()
	factory := informers.NewSharedInformerFactory(client, 0)
	api := client.ExtantV1alpha1()
	c, err := New(catalogue.Points(), catalogue.Policies(), api, factory.Extant().V1alpha1().ExtensionPoints())
	if err != nil {
		t.Fatal(err)
	}
	factory.Start(t.Context().Done())
	points := func() int {
		list, err := api.ExtensionPoints().List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Items)
	}
	term := func(wanted int) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { c.Run(ctx); close(ended) }()
		for deadline := time.Now().Add(time.Minute); points() != wanted; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("there are %d points, and %d are wanted", points(), wanted)
			}
		}
		cancel()
		<-ended
	}
	all := len(catalogue.Points())
	term(all)
	if err := api.ExtensionPoints().Delete(t.Context(), "rbac", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := api.ExtensionPolicies().Delete(t.Context(), "strict", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	term(all)
	if _, err := api.ExtensionPolicies().Get(t.Context(), "baseline", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := api.ExtensionPolicies().Get(t.Context(), "strict", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a policy that was deleted is there again: %v", err)
	}
}

// TestAnAPIThatDoesNotAnswerAtTheStartIsAskedAgain fails the first list of a
// term: the points are kept all the same.
func TestAnAPIThatDoesNotAnswerAtTheStartIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewSimpleClientset()
		factory := informers.NewSharedInformerFactory(client, 0)
		api := client.ExtantV1alpha1()
		c, err := New(catalogue.Points(), catalogue.Policies(), api, factory.Extant().V1alpha1().ExtensionPoints())
		if err != nil {
			t.Fatal(err)
		}
		var asked int
		client.PrependReactor("list", "extensionpoints", func(action kubetesting.Action) (bool, runtime.Object, error) {
			if action.(kubetesting.ListAction).GetListRestrictions().Labels.Empty() {
				return false, nil, nil // the informer's
			}
			asked++
			return asked == 1, nil, apierrors.NewServiceUnavailable("etcd is away")
		})
		ctx, cancel := context.WithCancel(t.Context())
		factory.Start(ctx.Done())
		ended := make(chan struct{})
		go func() { c.Run(ctx); close(ended) }()
		time.Sleep(time.Minute) // of a clock that stands still while anybody works
		synctest.Wait()
		list, err := api.ExtensionPoints().List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(list.Items), len(catalogue.Points()); got != want || asked != 2 {
			t.Errorf("there are %d points of %d after %d questions", got, want, asked)
		}
		cancel()
		<-ended
		factory.Shutdown()
	})
}
