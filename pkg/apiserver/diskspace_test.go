package apiserver

import (
	"context"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/storage"
)

// acceptingStorage accepts every write.
type acceptingStorage struct{ storage.Interface }

func (acceptingStorage) Create(context.Context, string, runtime.Object, runtime.Object, uint64) error {
	return nil
}

func (acceptingStorage) GuaranteedUpdate(context.Context, string, runtime.Object, bool, *storage.Preconditions, storage.UpdateFunc, runtime.Object) error {
	return nil
}

func (acceptingStorage) Delete(context.Context, string, runtime.Object, *storage.Preconditions, storage.ValidateObjectFunc, runtime.Object, storage.DeleteOptions) error {
	return nil
}

func (acceptingStorage) Get(context.Context, string, storage.GetOptions, runtime.Object) error {
	return nil
}

func TestWritesAreRefusedWhileTheDiskIsAlmostFull(t *testing.T) {
	free := int64(1000)
	space := &diskSpace{dir: "/data", reserve: 128 << 20, free: func(string) (int64, error) { return free, nil }}
	s := deadlineStorage{Interface: acceptingStorage{}, space: space}
	ctx := t.Context()
	writes := map[string]func() error{
		"create": func() error { return s.Create(ctx, "a", nil, nil, 0) },
		"update": func() error { return s.GuaranteedUpdate(ctx, "a", nil, false, nil, nil, nil) },
	}
	for name, write := range writes {
		if err := write(); !apierrors.IsServiceUnavailable(err) || !strings.Contains(err.Error(), "/data is almost full, and Extant refuses writes while less than 128 MiB are free") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := s.Delete(ctx, "a", nil, nil, nil, nil, storage.DeleteOptions{}); err != nil {
		t.Errorf("a deletion is refused: %v", err)
	}
	if err := s.Get(ctx, "a", storage.GetOptions{}, nil); err != nil {
		t.Errorf("a read is refused: %v", err)
	}
	free = 128 << 20
	for name, write := range writes {
		if err := write(); err != nil {
			t.Errorf("%s, with room again: %v", name, err)
		}
	}
	free, s.space = 0, nil
	for name, write := range writes {
		if err := write(); err != nil {
			t.Errorf("%s, without a disk of its own: %v", name, err)
		}
	}
}

func TestTheFreeSpaceOfADirectoryIsKnown(t *testing.T) {
	if free, err := freeBytes(t.TempDir()); err != nil || free <= 0 {
		t.Errorf("got %d, %v", free, err)
	}
	if _, err := freeBytes("/there/is/none"); err == nil {
		t.Error("that of a directory that is not there is known")
	}
}
