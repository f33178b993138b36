//go:build linux || darwin

package apiserver

import "syscall"

// freeBytes is what is free on the disk of a directory, for who is not root.
func freeBytes(dir string) (int64, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return 0, err
	}
	return int64(disk.Bavail) * int64(disk.Bsize), nil //nolint:unconvert // it is another type on darwin
}
