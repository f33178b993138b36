package stored

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

func labelled(labels map[string]string) *extant.Extension {
	return &extant.Extension{ObjectMeta: metav1.ObjectMeta{Name: "istio", Labels: labels}}
}

// TestWhoReplacesAnObjectDoesNotChangeWhereItComesFrom is about kubectl replace
// with a manifest that knows nothing of the label.
func TestWhoReplacesAnObjectDoesNotChangeWhereItComesFrom(t *testing.T) {
	discovered := labelled(map[string]string{extant.LabelOrigin: extant.OriginDiscovered})
	for _, test := range []struct {
		name    string
		updated *extant.Extension
		want    string
	}{
		{"without labels", labelled(nil), extant.OriginDiscovered},
		{"with others", labelled(map[string]string{"team": "mesh"}), extant.OriginDiscovered},
		{"on purpose", labelled(map[string]string{extant.LabelOrigin: extant.OriginDeclared}), extant.OriginDeclared},
	} {
		t.Run(test.name, func(t *testing.T) {
			sent := len(test.updated.Labels)
			labels := test.updated.Labels
			specStrategy[*extant.Extension]{extensions}.PrepareForUpdate(t.Context(), test.updated, discovered)
			if got := test.updated.Labels[extant.LabelOrigin]; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if len(labels) != sent {
				t.Error("the labels that were sent are changed")
			}
		})
	}
}
