package outage

import (
	"context"

	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// Engine says what outages do. It is safe for concurrent use.
type Engine struct {
	requests *requestpath.Engine
	// edited traces requests to clusters that do not exist: those in which
	// something was changed. What the other one keeps of the real cluster is not
	// disturbed by them.
	edited      *requestpath.Engine
	authorizers *rbac.Authorizers
	// known are the losses of extensions in the newest cluster that was asked
	// about.
	known losses
}

// NewEngine returns an engine that traces what the cluster's components ask for
// by the given one. Authorizers are those of the observed cluster's snapshots.
func NewEngine(requests *requestpath.Engine, authorizers *rbac.Authorizers) *Engine {
	return &Engine{requests: requests, edited: requestpath.NewEngine(), authorizers: authorizers}
}

// Analyze says what an outage does to the observed cluster. The spec is
// defaulted and valid by itself. A mistake that only the observed cluster
// reveals is a *requestpath.InvalidError; other errors are those of the context.
func (e *Engine) Analyze(ctx context.Context, observed requestpath.Observed, spec *extant.OutageReviewSpec) (*extant.OutageReviewStatus, error) {
	whole := observed
	// The requests that an outage is traced by are too many to be told of.
	observed.Begin = nil
	var a *analysis
	var err error
	whole.Part("Loss", func() { a, err = e.newAnalysis(ctx, observed, spec) })
	if err != nil {
		return nil, err
	}
	status := &extant.OutageReviewStatus{}
	whole.Part("Blocked", func() { status.Blocked = a.blocked() })
	whole.Part("Degraded", func() { status.Degraded = a.degraded() })
	whole.Part("Vital", func() { status.Vital = a.vital() })
	whole.Part("Collateral", func() { status.Collateral = a.collateral() })
	whole.Part("Recovery", func() { status.Recovery = a.recovery() })
	whole.Part("Fixes", func() { status.Recovery.Deadlocks, err = e.attemptsOf(a).fixes(status.Recovery.Deadlocks) })
	if err != nil {
		return nil, err
	}
	whole.Part("Remedies", func() { status.Recovery.Remedies, err = e.attemptsOf(a).remedies() })
	if err != nil {
		return nil, err
	}
	status.Observed = a.observation()
	return status, ctx.Err()
}
