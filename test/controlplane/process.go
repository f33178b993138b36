package controlplane

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Process is one child process. It can be started again after it ended; its
// output is appended to one file.
type Process struct {
	// Name is what the process is called in errors and as a file.
	Name string
	// Path and Args are its command line.
	Path string
	Args []string
	// Env is added to the environment.
	Env []string
	// Dir has its log.
	Dir string

	command *exec.Cmd
	ended   chan struct{}
}

// patience is how long a process may take to end by itself.
const patience = 20 * time.Second

// Start starts the process.
func (p *Process) Start() error {
	if p.Running() {
		return fmt.Errorf("%s runs already", p.Name)
	}
	log, err := os.OpenFile(p.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(p.Path, p.Args...)
	command.Stdout, command.Stderr = log, log
	command.Dir = p.Dir
	command.Env = append(os.Environ(), p.Env...)
	command.SysProcAttr = dieWithParent()
	if err := command.Start(); err != nil {
		return fmt.Errorf("could not start %s: %w", p.Name, err)
	}
	ended := make(chan struct{})
	p.command, p.ended = command, ended
	go func() {
		defer close(ended)
		_ = command.Wait()
	}()
	return nil
}

// Running tells whether the process was started and has not ended.
func (p *Process) Running() bool {
	if p.ended == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Stop asks the process to end and waits. One that does not is killed, which
// is an error.
func (p *Process) Stop() error {
	if !p.Running() {
		return nil
	}
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("%s did not end within %s of SIGTERM", p.Name, patience), p.Kill())
	}
}

// Kill ends the process at once and waits.
func (p *Process) Kill() error {
	if !p.Running() {
		return nil
	}
	if err := p.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.ended
	return nil
}

// LogFile is where the output goes.
func (p *Process) LogFile() string {
	return filepath.Join(p.Dir, p.Name+".log")
}

// Tail is the end of the output, for people.
func (p *Process) Tail(lines int) string {
	output, err := os.ReadFile(p.LogFile())
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(output)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// FreePorts returns ports of loopback that nobody listens on.
func FreePorts(count int) ([]int, error) {
	ports := make([]int, 0, count)
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		// Held until all are found, so that they differ.
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
