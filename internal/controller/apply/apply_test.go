package apply_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/controller/apply"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	fields "github.com/extant-project/extant/pkg/generated/applyconfiguration/extant/v1alpha1"
)

var (
	then = metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	now  = metav1.NewTime(then.Add(time.Hour))
)

func TestTheTimeOfAConditionIsThatOfTheLastChangeOfItsStatus(t *testing.T) {
	stored := []metav1.Condition{{Type: "Known", Status: metav1.ConditionTrue, Reason: "Old", LastTransitionTime: then, ObservedGeneration: 1}}
	for name, test := range map[string]struct {
		wanted metav1.Condition
		want   metav1.Time
	}{
		"another reason is no transition": {metav1.Condition{Type: "Known", Status: metav1.ConditionTrue, Reason: "New"}, then},
		"another status is":               {metav1.Condition{Type: "Known", Status: metav1.ConditionUnknown, Reason: "Old"}, now},
		"so is a new condition":           {metav1.Condition{Type: "New", Status: metav1.ConditionTrue, Reason: "New"}, now},
	} {
		t.Run(name, func(t *testing.T) {
			want := test.wanted
			want.LastTransitionTime, want.ObservedGeneration = test.want, 2
			if diff := cmp.Diff([]metav1.Condition{want}, apply.Transition([]metav1.Condition{test.wanted}, stored, 2, now)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestConditionsOfOthersAreNotOwn(t *testing.T) {
	mine, others := metav1.Condition{Type: "Mine", Status: metav1.ConditionTrue}, metav1.Condition{Type: "Others", Status: metav1.ConditionTrue}
	got := apply.Own([]metav1.Condition{others, mine}, []metav1.Condition{{Type: "Mine"}, {Type: "New"}})
	if diff := cmp.Diff([]metav1.Condition{mine}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestOnlyWhatIsSetIsApplied(t *testing.T) {
	configuration, err := apply.ConfigurationOf[fields.ExtensionStatusApplyConfiguration](&v1alpha1.ExtensionStatus{Blocks: "all"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(configuration)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != `{"blocks":"all"}` {
		t.Errorf("got %s", got)
	}
}

func TestAnObjectIsLeftAloneWhereItsAnnotationSaysSo(t *testing.T) {
	for value, want := range map[string]bool{"false": true, "true": false, "": false} {
		object := &metav1.ObjectMeta{Annotations: map[string]string{"extant.dev/reconcile": value}}
		if got := apply.LeftAlone(object); got != want {
			t.Errorf("%q: got %v", value, got)
		}
	}
	if apply.LeftAlone(&metav1.ObjectMeta{}) {
		t.Error("an object without annotations is left alone")
	}
}
