//go:build !linux

package hostfs

import (
	"context"
	"io/fs"
	"net"
	"time"
)

// Nodes run Linux. Elsewhere the agent can be built and tried.

func inode(fs.FileInfo) (device, number uint64, changed time.Time) {
	return 0, 0, time.Time{}
}

// Dial connects to a socket.
func (r *Root) Dial(ctx context.Context, name string) (net.Conn, error) {
	resolved, err := r.Resolve(name)
	if err != nil {
		return nil, err
	}
	return (&net.Dialer{}).DialContext(ctx, "unix", r.Mounted(resolved))
}
