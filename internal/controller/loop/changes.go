package loop

import (
	"errors"

	"k8s.io/client-go/tools/cache"
)

// ErrNotSettled ends a pass before the observed cluster was read: nothing is
// concluded from what has not been looked at.
var ErrNotSettled = errors.New("the observed cluster has not been read yet")

// Changes tells that objects of the API changed.
type Changes struct {
	// C has a value when one did since the value before was taken.
	C chan struct{}
	// Synced tell whether the informers have been read.
	Synced []cache.InformerSynced
}

// Watch tells of the changes that informers see. They are told for as long as
// the informers run: a controller may run several times, one term after
// another.
func Watch(informers ...cache.SharedIndexInformer) (*Changes, error) {
	c := &Changes{C: make(chan struct{}, 1)}
	for _, informer := range informers {
		registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: func(any) { c.Notify() }, UpdateFunc: func(any, any) { c.Notify() }, DeleteFunc: func(any) { c.Notify() },
		})
		if err != nil {
			return nil, err
		}
		c.Synced = append(c.Synced, registration.HasSynced)
	}
	return c, nil
}

// Notify makes a pass due.
func (c *Changes) Notify() {
	select {
	case c.C <- struct{}{}:
	default:
	}
}
