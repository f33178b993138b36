package hostfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Dial connects to a socket. The socket itself is opened below the root and
// connected to by its descriptor, so that no link can lead elsewhere meanwhile,
// and its path may be longer than addresses of sockets are.
func (r *Root) Dial(ctx context.Context, name string) (net.Conn, error) {
	resolved, err := r.Resolve(name)
	if err != nil {
		return nil, err
	}
	file, err := r.root.OpenFile(within(resolved), unix.O_PATH|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("could not open the socket: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil && info.Mode().Type() != fs.ModeSocket {
		err = errors.New("no socket")
	}
	if err != nil {
		return nil, fmt.Errorf("could not open the socket: %w", err)
	}
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d", file.Fd()))
	var failed *net.OpError
	if errors.As(err, &failed) {
		// The address says nothing to anybody, and differs each time.
		err = failed.Err
	}
	if err != nil {
		return nil, fmt.Errorf("could not connect: %w", err)
	}
	return connection, nil
}
