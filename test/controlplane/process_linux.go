package controlplane

import "syscall"

// dieWithParent ends a child with a test that was killed.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
